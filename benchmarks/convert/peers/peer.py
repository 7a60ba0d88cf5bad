"""What every peer has: an environment, a way to run its programs, and a comparison of what came out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from benchmarks.commands import Done, run
from benchmarks.convert.digests import Digests
from benchmarks.convert.plain import Plain
from benchmarks.convert.sources import Source
from benchmarks.venvs import Venv

_HEADLESS = {"MPLBACKEND": "agg"}


@dataclass
class Converted:
    """What became of a notebook.

    Attributes:
        reason: why, in the words of whoever refused or failed.
        compared: how many values were held against those of the plain notebook.
        missing: values of the notebook that the result does not have.
        other: values that are not those of the notebook.
        seconds: what it took.
    """

    outcome: str
    reason: str = ""
    compared: int = 0
    missing: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Stopped(Exception):
    """A conversion that ends before there is anything to compare."""

    def __init__(self, outcome: str, done: Done, reason: str = "") -> None:
        super().__init__(outcome)
        self.outcome = "takes too long" if done.too_long else outcome
        self.reason = reason or done.last_line


class Peer(ABC):
    """A tool and the way its result is run.

    Attributes:
        packages: what is installed for it.
        says_all: whether its result has every value of the notebook, so that a missing one is a difference.
    """

    packages: ClassVar[tuple[str, ...]]
    says_all: ClassVar[bool] = False

    def __init__(self, venv: Venv, timeout: float) -> None:
        self.venv = venv
        self.timeout = timeout
        self.seconds = 0.0

    def convert(self, source: Source, plain: Plain, root: Path) -> Converted:
        """Convert a notebook in an empty directory, run the result and compare."""
        self.seconds = 0.0
        try:
            values = self.values(source.copied(root / "copy"), root / "digests.json")
        except Stopped as stopped:
            return Converted(stopped.outcome, stopped.reason, seconds=self.seconds)
        return held_against(self.renamed(values, plain), plain, says_all=self.says_all, seconds=self.seconds)

    def renamed(self, values: Digests, plain: Plain) -> Digests:
        """The values by the names that they have in the notebook."""
        return values

    @abstractmethod
    def values(self, notebook: Path, digests: Path) -> Digests:
        """Convert the notebook, run the result, and give the digests that it left.

        Raises:
            Stopped: the peer refused, or its result failed.
        """

    def run(self, folder: Path, outcome: str, *arguments: str | Path) -> Done:
        """Run a program of the peer's environment; where it fails, the conversion ends with that outcome."""
        command: list[str | Path] = [self.venv.program(str(arguments[0])), *arguments[1:]]
        done = run(command, folder, self.timeout, {**_HEADLESS, "PATH": self.venv.search_path})
        self.seconds = round(self.seconds + done.seconds, 1)
        if done.code != 0:
            raise Stopped(outcome, done)
        return done


def held_against(values: Digests, plain: Plain, *, says_all: bool, seconds: float = 0.0) -> Converted:
    """What a result's values say of a conversion."""
    wanted = plain.comparable
    missing = sorted(name for name in wanted if name not in values)
    compared = [name for name in wanted if name in values]
    other = sorted(name for name in compared if values[name] != wanted[name])
    different = other or (missing if says_all else [])
    reason = f"other values: {', '.join(different)}" if different else ""
    return Converted("different" if different else "equal", reason, len(compared), missing, other, seconds)
