"""Types, counts and examples in the words of a sentence, short and without secrets."""

from __future__ import annotations

import os
from typing import Any

from p2p.secrets import Masker, environment_secrets

_LONGEST = 40


def type_name(kind: Any) -> str:
    """A type, or any of several, as people write it."""
    if isinstance(kind, tuple):
        return " or ".join(type_name(k) for k in kind)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def rows(count: int, total: int, label: Any, example: Any) -> str:
    """How many rows of how many, and one of them: `3 of 8,400 rows, e.g. row 17: 'n/a'`."""
    return f"{count:,} of {total:,} row{'' if total == 1 else 's'}, e.g. row {shown(label)}: {shown(example)}"


def all_rows(total: int) -> str:
    """Every row, by their number."""
    return "its only row" if total == 1 else f"all {total:,} rows"


def shown(value: Any) -> str:
    """A short value as Python writes it, secrets masked; of a long one, what it is.

    A long text is never cut: what is left of a secret would be no secret that a later mask knows.
    """
    value = plain(value)
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a repr is the user's code
        return f"a {type(value).__name__}"
    if len(text) > _LONGEST:
        return f"a {type(value).__name__} of {len(text):,} characters"
    return Masker(environment_secrets(os.environ)).text(text)


def plain(value: Any) -> Any:
    """A NumPy scalar as the Python value that it stands for."""
    is_scalar = type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()
    return value.item() if is_scalar and hasattr(value, "item") else value
