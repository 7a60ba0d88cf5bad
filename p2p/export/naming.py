"""What a pipeline and its steps may be called: names that Python takes and that mean the same on every file system."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from p2p.errors import InputRefused
from p2p.manifest import versions

LONGEST: Final = 80
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)  # Windows keeps these for itself
_CURE: Final = "Give one with --name."


def pipeline_name(text: str, pipelines: Path) -> str:
    """The name, checked, for a pipeline that is or will be in the folder `pipelines`."""
    if problem := _problem(text):
        raise InputRefused(f"{text[:LONGEST]!r} cannot be the name of a pipeline: {problem}.", cure=_CURE)
    others = [p.name for p in pipelines.iterdir() if versions(p)] if pipelines.is_dir() else []
    twin = next((other for other in others if other != text and other.lower() == text.lower()), None)
    if twin is not None:
        what = (
            f"'{text}' differs from the pipeline '{twin}' only by case, and some file systems cannot tell them apart."
        )
        raise InputRefused(what, cure=f"Give another one with --name, or --name {twin} for its next version.")
    return text


def check_step_names(names: Sequence[str]) -> None:
    """Refuse steps whose files would not be told apart, or not be possible, on some file system."""
    for name in names:
        if len(name) > LONGEST or _DEVICES.fullmatch(name):
            why = "Windows keeps that name for a device" if len(name) <= LONGEST else f"it is over {LONGEST} characters"
            raise InputRefused(f"A step called '{name[:LONGEST]}' cannot be exported: {why}.", cure="Rename it.")
        twin = next((other for other in names if other != name and other.lower() == name.lower()), None)
        if twin is not None:
            raise InputRefused(
                f"The steps '{name}' and '{twin}' differ only by case, and some file systems cannot tell them apart.",
                cure="Rename one of them.",
            )


def _problem(text: str) -> str:
    if not text.isidentifier() or not text.isascii() or text.startswith("_") or len(text) > LONGEST:
        return f"it must be a Python name of at most {LONGEST} ASCII letters, digits and underscores"
    if keyword.iskeyword(text):
        return "it is a keyword of Python"
    if _DEVICES.fullmatch(text):
        return "Windows keeps that name for a device"
    return ""
