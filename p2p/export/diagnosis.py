"""What is known of a module that is not equal: whether its first other value is another each time, and why."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from p2p.analysis import digest_source
from p2p.errors import AnalysisError, EvidenceRefused, RunFailed
from p2p.export.causes import HIDDEN, SHARED, Cause, likeliest, sign
from p2p.export.options import ExportOptions
from p2p.export.verify import Conditions, Seed
from p2p.export.work import Work
from p2p.tracking.records import CellBorder

_LONGEST = 60.0  # seconds that a module may have run for to be run again for the sake of a reason


@dataclass(frozen=True)
class Place:
    """Where a module is proven: in the notebook's directory, or in an empty one."""

    beside: bool

    @contextmanager
    def of(self, work: Work) -> Iterator[Path]:
        """The directory, which lasts as long as the block."""
        with tempfile.TemporaryDirectory() as empty:
            yield home_of(work) if self.beside else Path(empty).resolve()


def home_of(work: Work) -> Path:
    """The notebook's directory."""
    return work.notebook.path.resolve().parent


def seen_of(work: Work) -> dict[int, CellBorder]:
    """By number: what the recorded run saw cells do, those that changed a value in place or drew at random."""
    acted = {border.source: border for border in work.recorded.borders}
    found: dict[int, CellBorder] = {}
    for cell in work.notebook.cells if acted else ():
        with suppress(AnalysisError):
            border = acted.get(digest_source(cell.source))
            found |= {cell.number: border} if border is not None else {}
    return found


def as_recorded(work: Work) -> Work:
    """The export with the plan as the recorded run has shown it."""
    return replace(work, plan=work.plan.as_recorded(work.recorded.steps, seen_of(work)))


class Diagnosis:
    """Finds out by running the refused module again, from seeds and without them; each way once.

    Args:
        work: the export whose module was refused.
        refused: the evidence.
        options: told what is done.
        place: where it ran.
        seconds: what a run takes.
    """

    def __init__(
        self, work: Work, refused: EvidenceRefused, options: ExportOptions, *, place: Place, seconds: float
    ) -> None:
        self.step: str = refused.fields["step"]
        self._work = work
        self._refused = refused
        self._options = options
        self._place = place
        self._value: str = refused.fields.get("value", "")
        self._quick = seconds <= _LONGEST
        self._known: dict[Seed | None, object] = {}

    @cached_property
    def varies(self) -> bool:
        """Whether the value is another one in another run of the module; False where that is not known."""
        if not self._value or not self._quick:
            return False
        self._options.tell("not equal: running the module from other seeds to see what the value depends on")
        again = self._again(Seed(1, 1))
        return again is not None and again != self._refused.fields["digest"]

    def explained(self) -> EvidenceRefused:
        """The refusal, with the likeliest cause that its first value is another."""
        cause = self._cause() if self._value else None
        if cause is None:
            return self._refused
        told = "" if self._quick else "; told by its text alone, as a run takes long"
        first, *others = self._refused.findings
        first = replace(first, why=f"Likeliest cause: {cause.what}{told}.", cure=cause.cure)
        facts = {name: self._refused.fields[name] for name in ("step", "value", "digest")}
        return EvidenceRefused(self._refused.message, [first, *others], **facts)

    def _cause(self) -> Cause | None:
        if not self._quick:
            return sign(self._text)
        as_recorded(self._work).write_module()  # again the one that was refused: trials have written others over it
        cause = likeliest(self._text, self._again)
        recorded = self._work.recorded.step(self.step)
        known = recorded.outputs.get(self._value) if cause is HIDDEN and recorded is not None else None
        shared = known is not None and self._again(None) == known.digest is not None
        return SHARED if shared else cause

    @property
    def _text(self) -> str:
        """The text of the step and of the module's helpers."""
        own = [s.source for s in self._work.plan.steps if s.name == self.step]
        return "\n".join([*own, *(helper.source for helper in self._work.plan.helpers)])

    def _again(self, seed: Seed | None) -> object:
        """The digest of the value in a run from a seed, or from none and with steps that share memory.

        None where that run fails.
        """
        if seed not in self._known:
            self._known[seed] = self._run(seed)
        return self._known[seed]

    def _run(self, seed: Seed | None) -> object:
        with suppress(EvidenceRefused, RunFailed), self._place.of(self._work) as directory:
            again = Conditions(directory=directory, purpose="diagnosis", seed=seed, isolated=seed is not None)
            ran = self._work.run(again)[0].step(self.step)
            return ran.outputs[self._value].digest if ran is not None and self._value in ran.outputs else None
        return None
