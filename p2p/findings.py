"""What a refusal was found on, for people: a table in a notebook, lines of text elsewhere; handed on between processes.

A command that a notebook calls cannot show a table there. So it writes its refusal to the file that `VARIABLE` names,
in place of what it would have printed, and whoever called it shows that.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from p2p.errors import EvidenceRefused
from p2p.model import Finding

VARIABLE = "P2P_REFUSAL_TO"


class Findings:
    """Why something was refused.

    Attributes:
        message: in one paragraph.
        findings: the evidence.
    """

    def __init__(self, message: str, findings: Sequence[Finding]) -> None:
        self.message = message
        self.findings = findings

    def __repr__(self) -> str:
        from p2p.terminal import visible  # late, as below

        lines = [self.message]
        for one in self.findings:
            lines += [f"  • {one.where}: {one.what}", *(f"    {text}" for text in (one.why, one.cure) if text)]
        return "\n".join(map(visible, lines))

    def _repr_html_(self) -> str:
        from p2p import markup  # late: a kernel that shows no table loads no more than it needs

        rows = [(one.where, one.what, one.why, one.cure) for one in self.findings]
        parts = [markup.title("Refused", self.message), markup.table(["where", "what", "why it matters", "cure"], rows)]
        return str(markup.joined(parts))


def of(refusal: EvidenceRefused) -> Findings:
    """The findings of a refusal."""
    return Findings(str(refusal), refusal.findings)


def destination() -> Path | None:
    """Where a refusal is to go; asked once, so that no command that this one calls writes there too."""
    named = os.environ.pop(VARIABLE, "")
    return Path(named) if named else None


def hand_over(refusal: EvidenceRefused, place: Path) -> bool:
    """Write it there, for `handed_over`; False where that cannot be."""
    told = {"message": str(refusal), "findings": [one.as_dict() for one in refusal.findings]}
    with contextlib.suppress(OSError):
        place.write_text(json.dumps(told), encoding="utf-8")
        return True
    return False


def handed_over(place: Path) -> Findings | None:
    """The refusal that a command wrote there; None where it wrote none."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        return Findings(told["message"], [Finding(**one) for one in told["findings"]])
    return None
