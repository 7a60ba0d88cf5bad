"""What a run gave, for the one who asked: the same for notebooks and modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.model import RunStatus, StepRecord, ValueRef
from p2p.pipeline import final_values
from p2p.store import DiskStore, ValueStore
from p2p.tracking import RunRecord


@dataclass(frozen=True)
class RunOutcome:
    """One run, ended.

    Attributes:
        run_id: MLflow's run id.
        key: the name of the run's directory.
        target: what was run, as it was asked for.
        outputs: the values that no later step takes in: plain data as itself, anything else as its reference.
        failed_cell: number of the code cell that failed; None for a module or a run that did not fail.
        seconds: wall time.
        executed: the executed notebook; None for a module.
    """

    run_id: str
    key: str
    target: str
    status: RunStatus
    steps: tuple[StepRecord, ...]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failed_step: str = ""
    failed_cell: int | None = None
    error: str = ""
    seconds: float = 0.0
    executed: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """The answer of `p2p run --json`."""
        return {
            "run_id": self.run_id,
            "key": self.key,
            "target": self.target,
            "status": self.status.value,
            "seconds": round(self.seconds, 3),
            "steps": [step_summary(s) for s in self.steps],
            "outputs": {name: json_value(value) for name, value in self.outputs.items()},
            "failed_step": self.failed_step or None,
            "failed_cell": self.failed_cell,
            "error": self.error or None,
            "notebook": str(self.executed) if self.executed else None,
        }


def step_summary(step: StepRecord) -> dict[str, Any]:
    """A step as `--json` tells of it."""
    return {
        "name": step.name,
        "state": step.state.value,
        "seconds": round(step.seconds, 4),
        "attempts": step.attempts,
        "cached": step.state.value == "cached",
        "fallback": step.fallback,
        "parent": step.parent or None,
        "outputs": {name: ref.digest for name, ref in step.outputs.items()},
        "not_stored": {name: reason_of(name, ref) for name, ref in step.outputs.items() if ref.reason},
        "error": step.error or None,
    }


def reason_of(name: str, ref: ValueRef) -> str:
    """Why an output could not be stored, with the place inside it: `model['a'].lock: cannot pickle ...`."""
    return f"{name}{ref.reason.removeprefix('value')}" if ref.reason.startswith("value") else f"{name}: {ref.reason}"


def not_stored(steps: Sequence[StepRecord]) -> list[str]:
    """A sentence for each output that could not be stored: its step, its name, the place inside it and the reason."""
    return [
        f"Step '{step.name}': output '{name}' could not be stored ({reason_of(name, ref)})."
        for step in steps
        for name, ref in step.outputs.items()
        if ref.reason
    ]


def json_value(value: Any) -> Any:
    """A value as JSON tells of it: plain data is itself, a reference its type, shape and digest."""
    if isinstance(value, ValueRef):
        return {"type": value.type, "shape": list(value.shape), "digest": value.digest}
    return value


def final_outputs(record: RunRecord, values: ValueStore) -> dict[str, Any]:
    """The values of a run that no later step takes in; plain data is loaded, anything else stays a reference."""
    steps = [s for s in record.steps if not s.parent]
    refs = {name: ref for s in steps for name, ref in s.outputs.items()}
    names = final_values([(tuple(s.inputs), tuple(s.outputs)) for s in steps])
    return {n: values.get(refs[n]) if refs[n].codec == "json" else refs[n] for n in names}


def outcome_of(record: RunRecord, values: DiskStore, *, target: str, seconds: float, **more: Any) -> RunOutcome:
    """The outcome that a finished run's record tells."""
    cell = record.end.get("failed_cell")
    return RunOutcome(
        run_id=record.run_id, key=record.key, target=target, status=record.status, steps=record.steps,
        outputs=final_outputs(record, values), failed_step=str(record.end.get("failed_step", "")),
        failed_cell=int(cell) if cell is not None else None, error=str(record.end.get("error", "")),
        seconds=seconds, **more,
    )  # fmt: skip
