"""One past run: its steps by name, and in each the values that it gave, loaded when they are asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p2p import markup
from p2p.errors import InputRefused, StoreError, nearest
from p2p.history.summaries import Summary
from p2p.model import StepRecord, StepState, ValueRef
from p2p.quantities import size_text
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.tracking import RunRecord
from p2p.tracking.journal import NAME
from p2p.tracking.records import read_record

if TYPE_CHECKING:
    from p2p.history.comparing import Comparison

MARKS = {"done": "✓", "cached": "⟲", "failed": "✗"}


class Run(Mapping[str, "PastStep"]):
    """A past run, as a mapping of its steps by name: `run["clean"]["tidy"]` is the value that step `clean` gave.

    Args:
        summary: what is known of it without its journal.
        settings: the project's.
    """

    def __init__(self, summary: Summary, settings: Settings) -> None:
        self.summary = summary
        self._settings = settings

    @property
    def id(self) -> str:
        """MLflow's run id; the run's key while MLflow does not know it."""
        return self.summary.run_id or self.summary.key

    @property
    def name(self) -> str:
        """The notebook's or pipeline's; a version's is `name@3`."""
        version = self.summary.version
        return self.summary.name if version is None else f"{self.summary.name}@{version}"

    @property
    def status(self) -> str:
        """FINISHED, FAILED, KILLED, or RUNNING."""
        return self.summary.status.value

    @property
    def params(self) -> Mapping[str, Any]:
        """Its parameters as plain data, secrets masked."""
        return self.summary.params

    @property
    def metrics(self) -> Mapping[str, float]:
        """The last value of each metric that its code logged."""
        return self.summary.metrics

    @property
    def began(self) -> datetime:
        """When it began, in UTC."""
        return datetime.fromtimestamp(self.summary.began, UTC)

    @property
    def seconds(self) -> float | None:
        """Wall time; None for a run that has not ended."""
        return self.summary.seconds

    @property
    def directory(self) -> Path:
        """Where its journal, executed notebook and figures lie."""
        return self._settings.runs / self.summary.key

    @property
    def figures(self) -> list[Path]:
        """The figures that its steps drew."""
        return sorted((self.directory / "figures").glob("*.png"))

    @cached_property
    def record(self) -> RunRecord:
        """All that its journal says."""
        if not (self.directory / NAME).is_file():
            raise StoreError(
                f"The journal of the run {self.summary.key} is not there any more.",
                cure="Its directory was removed; take another run.",
            )
        return read_record(self.directory)

    def compare(self, other: Run) -> Comparison:
        """What is different in `other`: parameters, metrics, steps, values, the code and packages behind them."""
        from p2p.history.comparing import compare

        return compare(self, other)

    def __getitem__(self, name: str) -> PastStep:
        found = self._steps.get(name, self._cut_short.get(name))
        if found is None:
            raise _unknown("step", name, self._steps, f"The run {self.id}")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def __hash__(self) -> int:
        return hash(self.summary.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.summary.key == other.summary.key

    @cached_property
    def _steps(self) -> dict[str, PastStep]:
        store = DiskStore(self._settings.values)
        return {step.name: PastStep(step, store) for step in self.record.steps}

    @cached_property
    def _cut_short(self) -> dict[str, PastStep]:
        """Steps that were at work when the run was killed: what they took in can be had, though they gave nothing."""
        store = DiskStore(self._settings.values)
        return {step.name: PastStep(step, store) for step in self.record.cut_short}

    def __repr__(self) -> str:
        took = "" if self.seconds is None else f" in {self.seconds:.3g} s"
        return f"<Run {self.id[:8]} {self.name} {self.status}{took}, {self.began:%Y-%m-%d %H:%M:%S} UTC>"

    def _repr_html_(self) -> str:
        took = "" if self.seconds is None else f", {self.seconds:.3g} s"
        parts: list[object] = [
            markup.title(f"{self.name} {self.status}", f"{self.id}, began {self.began:%Y-%m-%d %H:%M:%S} UTC{took}")
        ]
        if self.summary.error:
            where = f"in step {self.summary.failed_step}: " if self.summary.failed_step else ""
            parts.append(markup.code(where + self.summary.error))
        facts = [*self.params.items(), *((name, f"{value:.6g}") for name, value in self.metrics.items())]
        if facts:
            parts.append(markup.table(["parameter or metric", "value"], facts))
        parts.append(markup.table(["step", "state", "seconds", "attempts", "outputs"], map(_row, self.record.steps)))
        parts += [markup.picture(path.read_bytes(), path.stem) for path in self.figures]
        return str(markup.joined(parts))


class PastStep(Mapping[str, Any]):
    """A step of a past run, as a mapping of the values that it gave, by name.

    Attributes:
        record: how it went.
    """

    def __init__(self, record: StepRecord, store: DiskStore) -> None:
        self.record = record
        self._store = store

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The values that it took in, by name, each loaded when it is asked for."""
        return _Values(f"The step {self.record.name}", "input", self.record.inputs, self._store)

    def __getitem__(self, name: str) -> Any:
        return _Values(f"The step {self.record.name}", "output", self.record.outputs, self._store)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.record.outputs)

    def __len__(self) -> int:
        return len(self.record.outputs)

    def _pictures(self) -> Iterator[object]:
        """The figures that it gave, as far as they are still in the store."""
        for name, ref in self.record.outputs.items():
            if ref.codec == "png":
                with contextlib.suppress(StoreError):
                    yield markup.picture(self[name], name)

    def __repr__(self) -> str:
        r = self.record
        return f"<step {r.name} {r.state.value} in {r.seconds:.3g} s: {', '.join(r.outputs) or 'no outputs'}>"

    def _repr_html_(self) -> str:
        r = self.record
        how = f"{r.state.value} in {r.seconds:.3g} s"
        parts: list[object] = [markup.title(f"{MARKS[r.state.value]} {r.name}", how)]
        if r.error:
            parts.append(markup.code(r.error))
        for what, refs in (("input", r.inputs), ("output", r.outputs)):
            if refs:
                parts.append(markup.table([what, "type", "shape", "size", "preview"], _described(refs)))
        parts += self._pictures()
        return str(markup.joined(parts))


class Picture(bytes):
    """A figure that a step gave, as the PNG that was kept of it; a notebook shows it."""

    def _repr_png_(self) -> bytes:
        return bytes(self)

    def __repr__(self) -> str:
        return f"<PNG picture of {size_text(len(self))}>"


class _Values(Mapping[str, Any]):
    """Values by name, each loaded when it is asked for."""

    def __init__(self, whose: str, what: str, refs: Mapping[str, ValueRef], store: DiskStore) -> None:
        self._whose = whose
        self._what = what
        self._refs = refs
        self._store = store

    def __getitem__(self, name: str) -> Any:
        if name not in self._refs:
            raise _unknown(self._what, name, self._refs, self._whose)
        ref = self._refs[name]
        if ref.codec is None:
            raise StoreError(
                f"'{name}' was not stored: {ref.reason or 'nobody knows why'}.", cure="Run the step again to have it."
            )
        value = self._store.get(ref)
        return Picture(value) if ref.codec == "png" else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)

    def __repr__(self) -> str:
        return f"<{self._what}s of {self._whose[4:]}: {', '.join(self._refs) or 'none'}>"


class UnknownName(InputRefused, KeyError):
    """A name that a run or step does not have: an `InputRefused` that `in` and `get` understand."""

    __str__ = InputRefused.__str__


def _unknown(what: str, name: object, known: Mapping[str, Any], whose: str) -> UnknownName:
    close = nearest(str(name), list(known))
    return UnknownName(
        f"{whose} has no {what} '{name}'.",
        cure=f"Closest name: '{close}'." if close else f"It has: {', '.join(known) or 'none'}.",
    )


def _row(step: StepRecord) -> list[object]:
    given = ", ".join(step.outputs)
    mark = MARKS[step.state.value]
    state = f"{mark} {step.state.value}" + (" by its fallback" if step.fallback else "")
    name = f"{step.parent} / {step.name}" if step.parent else step.name
    return [name, state, f"{step.seconds:.3g}", step.attempts, step.error if step.state is StepState.FAILED else given]


def _described(refs: Mapping[str, ValueRef]) -> Iterator[list[object]]:
    for name, ref in refs.items():
        shape = " x ".join(f"{n:,}" for n in ref.shape)
        yield [name, ref.type.removeprefix("builtins."), shape, size_text(ref.nbytes), ref.reason or ref.preview[:200]]
