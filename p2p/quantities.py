"""Sizes and times as people write them: `20GB`, `30d`."""

from __future__ import annotations

import re

from p2p.errors import InputRefused

_SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
          "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}  # fmt: skip
_TIMES = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_NUMBER = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]*)", re.ASCII)


def bytes_in(text: str, what: str) -> int:
    """The bytes that `20GB`, `1.5 GiB` or `1000` say; InputRefused, naming `what`, for anything else."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None or match[2].upper() not in _SIZES:
        raise _refused(text, what, "Write a number and a unit: 500MB, 20GB, 1.5TiB.")
    return int(float(match[1]) * _SIZES[match[2].upper()])


def seconds_in(text: str, what: str) -> float:
    """The seconds that `30d`, `12h` or `90s` say; InputRefused, naming `what`, for anything else."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None or match[2].lower() not in _TIMES:
        raise _refused(text, what, "Write a number and a unit: 90s, 15m, 12h, 30d, 4w.")
    return float(match[1]) * _TIMES[match[2].lower()]


def size_text(nbytes: int) -> str:
    """A size for people: `1.5 GB`."""
    size, unit = float(nbytes), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{nbytes} B" if unit == "B" else f"{size:.3g} {unit}"


def _refused(text: str, what: str, cure: str) -> InputRefused:
    return InputRefused(f"{what} is {text!r:.60}, which cannot be read.", cure=cure, fields={"value": text})
