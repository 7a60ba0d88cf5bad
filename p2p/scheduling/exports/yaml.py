"""YAML in which every text is quoted, keys too, so that none of it is a tag, an anchor, a boolean or a comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Texts in double quotes and ASCII, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def dumped(data: Mapping[str, Any], what: str, notes: Sequence[str]) -> str:
    """A document, led by comments: what it is, and what is not done there. Both are texts of ours."""
    head = [f"A schedule of p2p as {what}. Written by p2p schedule export.", *notes]
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=float("inf"))
    return "".join(f"# {line}\n" for line in head) + text
