"""Command-line text: `k=v` items, and what a text may mean for a parameter."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from p2p.errors import ParameterError
from p2p.params.annotation import is_text, kinds


def parse_assignments(items: Sequence[str]) -> dict[str, str]:
    """Names and texts from items such as `month=2`, split at the first `=`; the text is kept as it is.

    Raises:
        ParameterError: an item without `=` or name, or a name given twice. No value is repeated in the message.
    """
    found: dict[str, str] = {}
    problems: list[str] = []
    for number, item in enumerate(items, 1):
        name, equals, text = item.partition("=")
        name = name.strip()
        shown = f"Parameter '{name}'" if name.isidentifier() else f"Parameter number {number}"
        if not equals:
            problems.append(f"{shown} has no value: write it as name=value.")
        elif not name:
            problems.append(f"{shown} has no name before the '=': write it as name=value.")
        elif name in found:
            problems.append(f"{shown} is given twice.")
        found[name] = text
    if problems:
        raise ParameterError(problems)
    return found


def candidates(text: str, annotation: Any) -> list[Any]:
    """What a text may mean, likeliest first: JSON, then None, then the text itself; for `str` only the last."""
    if is_text(annotation):
        return [text]
    found: list[Any] = []
    with contextlib.suppress(ValueError, RecursionError):
        # A decimal is read digit by digit: by way of a float it would lose some.
        found.append(json.loads(text, parse_float=Decimal if Decimal in kinds(annotation) else None))
    if text in {"None", "null"}:
        found.append(None)
    return [*found, text]
