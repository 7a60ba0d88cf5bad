"""Where a copy of the executed notebook may go: wherever the user says, except over the notebook itself.

The path is taken as it stands: `{...}` in it is a part of a name. A symbolic link is replaced by the file, and what it
points to is left alone.
"""

from __future__ import annotations

from pathlib import Path

from p2p.errors import InputRefused


def check_output(output: Path | None, notebook: Path) -> None:
    """Refuse a place that could not be written, before the run that would find out at its end."""
    if output is None:
        return
    try:
        problem = _problem(output, notebook)
    except (OSError, ValueError) as error:  # too long a name, a NUL
        problem = f"it cannot be a path here ({getattr(error, 'strerror', None) or error})"
    if problem:
        what = f"The executed notebook cannot be written to {str(output)[:200]!r}: {problem}."
        raise InputRefused(what, cure="Give another path with -o.")


def _problem(output: Path, notebook: Path) -> str:
    if "\0" in str(output):
        return "it holds a NUL"
    if output.is_dir():
        return "it is a folder"
    if output.exists() and not output.is_symlink() and output.samefile(notebook):
        return "it is the notebook itself, which would be lost"
    parent = next(folder for folder in (output.absolute().parent, *output.absolute().parents) if folder.exists())
    return "" if parent.is_dir() else f"'{parent}' is no folder"
