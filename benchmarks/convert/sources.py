"""The notebooks to convert, and copies of them with the files that they may read."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

NAME = "converted"
_LEFT_OUT = shutil.ignore_patterns("*.ipynb", ".git", ".ipynb_checkpoints", "mlruns", "__pycache__")
_WHOLE = ("README*", "LICENSE*", ".git")


@dataclass(frozen=True)
class Source:
    """A notebook of somebody else; it is never touched.

    Attributes:
        path: the notebook.
        name: how it is called in tables and in the file of results.
        top: the folder that is copied with it, since a notebook may read what lies beside it or above it.
    """

    path: Path
    name: str
    top: Path

    def copied(self, into: Path) -> Path:
        """A copy of the notebook, in a copy of its folder: `into` is made."""
        shutil.copytree(self.top, into, ignore=_LEFT_OUT, symlinks=True, ignore_dangling_symlinks=True)
        path = into / self.path.parent.relative_to(self.top) / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path, path)
        return path


def found(place: Path) -> list[Source]:
    """The notebooks of a folder and of those inside it, or those that a text file lists, one a line."""
    place = place.resolve()
    if place.is_dir():
        paths = sorted(path for path in place.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
        root = place
    else:
        lines = [line.strip() for line in place.read_text(encoding="utf-8").splitlines()]
        paths = [(place.parent / line).resolve() for line in lines if line and not line.startswith("#")]
        root = Path(os.path.commonpath([path.parent for path in paths])) if paths else place.parent
    whole = any(next(root.glob(mark), None) for mark in _WHOLE)
    return [Source(path, str(path.relative_to(root)), root if whole else _below(root, path)) for path in paths]


def _below(root: Path, path: Path) -> Path:
    """The folder under `root` in which a notebook is, at whatever depth: one of many repositories."""
    parts = path.relative_to(root).parts
    return root / parts[0] if len(parts) > 1 else root
