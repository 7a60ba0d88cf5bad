"""What has run in a kernel: the text of the cells, and of each step what it ran with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from p2p.analysis import cell_names, digest_source, is_step_mark, split_mark
from p2p.errors import P2PError
from p2p.model import ValueRef
from p2p.progress import Progress


@dataclass(frozen=True, slots=True)
class Ran:
    """How a step went the last time.

    Attributes:
        state: `running`, `done`, `cached` or `failed`.
        digest: of its cell's text.
        uses: by the name that it used, the digest of the cell that had defined it by then.
        inputs, outputs: by name, the digest of each value; None for one that has none.
        seconds, attempts, error: as the run was told.
        progress: how far it is, while it runs; None where it does not say.
        taken, given: references of its inputs and outputs, by name.
    """

    state: str
    digest: str = ""
    uses: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str | None] = field(default_factory=dict)
    outputs: Mapping[str, str | None] = field(default_factory=dict)
    seconds: float = 0.0
    attempts: int = 0
    error: str = ""
    taken: Mapping[str, ValueRef] = field(default_factory=dict)
    given: Mapping[str, ValueRef] = field(default_factory=dict)
    progress: Progress | None = None


def _nobody_knows(_name: str) -> str | None:
    return None


class Ranning:
    """Follows a kernel: told of each cell, and of the events of its run.

    Args:
        now: gives the digest of the value that a name has now; None where that would take too long, or nobody can say.

    Attributes:
        steps: by name, how each step went the last time.
        defined: by name, the digest of the text of the cell that defined it last.
        cells: the text of each cell that has run, as it ran last, by its id.
        source: the text of the cell that runs, or has run last.
    """

    def __init__(self, now: Callable[[str], str | None] = _nobody_knows) -> None:
        self.now = now
        self.steps: dict[str, Ran] = {}
        self.defined: dict[str, str] = {}
        self.cells: dict[str, str] = {}
        self.source = ""
        self._cell = ""
        self._given: dict[str, str | None] = {}

    def cell(self, source: str, cell_id: str = "") -> None:
        """A cell is about to run. In a shell that gives no ids, a step's name tells its cell, else the text does."""
        self.source = self.cells[cell_id or _step_of(source) or source] = source
        try:
            self._cell = digest_source(source)
            writes = cell_names(source).writes
        except P2PError:  # it will raise its own SyntaxError
            self._cell = ""
            return
        self.defined |= dict.fromkeys(writes, self._cell)

    def forget(self) -> None:
        """The kernel begins another run; what it has defined stays."""
        self._given = {}

    def append(self, kind: str, **data: Any) -> None:
        """An event of the run."""
        if data.get("parent"):
            return
        if kind == "step_started":
            inputs = {name: ref["digest"] or self.now(name) for name, ref in data["inputs"].items()}
            self.steps[data["step"]] = Ran(
                "running", self._cell, dict(self.defined), inputs, taken=_refs(data["inputs"])
            )
        elif kind == "step_finished":
            self._finish(data)
        elif kind == "step_progress" and data["step"] in self.steps:
            ran = self.steps[data["step"]]
            self.steps[data["step"]] = replace(ran, progress=Progress.from_dict(data))

    def _finish(self, data: Mapping[str, Any]) -> None:
        before = self.steps.get(data["step"], Ran("running"))
        outputs = {name: ref["digest"] for name, ref in data["outputs"].items()}
        error = f"{data['error_type']}: {data['error']}" if "error_type" in data else ""
        self.steps[data["step"]] = Ran(
            data["state"], before.digest, before.uses, before.inputs, outputs, data["seconds"], data["attempts"], error,
            before.taken, _refs(data["outputs"]),
        )  # fmt: skip
        self._given |= outputs

    def value(self, name: str) -> str | None:
        """The digest of the value that a name has, by the step that gave it last; None where nobody knows."""
        return self._given[name] if name in self._given else self.now(name)

    def gave(self, name: str) -> bool:
        """Whether a step of this kernel gave this name a value."""
        return name in self._given


def _refs(data: Mapping[str, Mapping[str, Any]]) -> dict[str, ValueRef]:
    return {name: ValueRef.from_dict(ref) for name, ref in data.items() if "type" in ref}


def _step_of(source: str) -> str:
    if not is_step_mark(source):
        return ""
    with contextlib.suppress(P2PError):
        mark, _ = split_mark(source)
        return mark.name if mark is not None else ""
    return ""
