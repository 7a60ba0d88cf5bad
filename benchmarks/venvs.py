"""Virtual environments for the peers: they are never among the packages of the project."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import run

_INSTALLING = 1800.0  # seconds


@dataclass(frozen=True)
class Venv:
    """An environment with a peer in it, and behind it the libraries of this interpreter, which notebooks import."""

    folder: Path
    versions: dict[str, str]

    def program(self, name: str) -> Path:
        return self.folder / "bin" / name

    @property
    def search_path(self) -> str:
        return os.pathsep.join([str(self.folder / "bin"), os.environ.get("PATH", "")])


def venv(folder: Path, packages: Sequence[str]) -> Venv:
    """The environment in `folder`, which is made where it does not exist.

    Raises:
        OSError: it could not be made; the message has the installer's last line.
    """
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in (
            [sys.executable, "-m", "venv", "--clear", folder],
            [python, "-m", "pip", "install", "--quiet", *packages],
        ):
            done = run(command, folder.parent, _INSTALLING)
            if done.code != 0:
                raise OSError(f"{' '.join(packages)} cannot be installed: {done.last_line}")
        ready.touch()
    _borrow(folder)
    code = "import sys, importlib.metadata as m; print(*(m.version(name) for name in sys.argv[1:]))"
    done = run([python, "-c", code, *packages], folder, _INSTALLING)
    return Venv(folder, dict(zip(packages, done.out.split(), strict=True)))


def _borrow(folder: Path) -> None:
    """Let the environment import what this interpreter has, after what it has itself; another one may have made it."""
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
