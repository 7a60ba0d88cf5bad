"""An export's files: put where they were asked for, or shown one after the other."""

from __future__ import annotations

from pathlib import Path

from p2p.errors import InputRefused
from p2p.files import write_atomic
from p2p.scheduling.exports.model import Exported


def put(done: Exported, output: Path, *, replace: bool) -> list[Path]:
    """Write the files: one to `output`, unless that is a folder; several into it. Gives where they are.

    Raises:
        InputRefused: there is such a file, and it is not to be replaced.
    """
    one = len(done.files) == 1 and not output.is_dir()
    places = {output if one else output / name: text for name, text in done.files.items()}
    there = [path for path in places if path.exists()]
    if there and not replace:
        raise InputRefused(f"'{there[0]}' is there already.", cure="Name another place, or say --replace.")
    for path, text in places.items():
        write_atomic(path, text)
    return [*places]


def together(done: Exported) -> str:
    """The text of the files; where there are several, each led by its name."""
    if len(done.files) == 1:
        return next(iter(done.files.values()))
    return "\n".join(f"# --- {name}\n{text}" for name, text in done.files.items())
