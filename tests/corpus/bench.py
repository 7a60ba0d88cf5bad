"""The fast way from a notebook of the corpus to what p2p makes of it: no kernel, no MLflow, no generated tests.

The plan, the texts of the module and the comparison are p2p's own. Beyond what p2p compares, each value that the module
gives is held against what its name stood for in the notebook when the step's cell had ended.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from p2p.adoption import mark, propose
from p2p.errors import EvidenceRefused, InputRefused, P2PError, RunFailed
from p2p.export import TOLERANCE, ExportOptions, contracting, emit
from p2p.export.plan import Plan
from p2p.export.proving import planned, proven
from p2p.export.verify import Comparison, Conditions, Pairs, compare_runs, refuse_unequal
from p2p.model import Finding, ValueRef
from p2p.notebook import Notebook, parameters_of, read_notebook
from p2p.params import ParameterSet
from p2p.store import DiskStore
from p2p.tracking import RunRecord
from p2p.tracking.records import read_record
from tests.corpus.forking import Forking
from tests.corpus.reading import Spec, write_spec

_NAME = "corpus"
_CELLS = re.compile(r"\b[Cc]ells? (\d+(?:(?:, | and )\d+)*)")


@dataclass(frozen=True)
class Outcome:
    """What p2p made of a notebook.

    Attributes:
        kind: `equal`; `refused`, before anything ran; `different`: a value of the module is not the notebook's, or the
            module does not run; or `broken`: the export ends with an error that is no refusal.
        cells: the cells that a refusal names.
        step: the step that is different.
        reason: why it is refused, or in what it is different.
        noticed: whether p2p's own comparison notices the difference, so that the export is refused.
    """

    kind: str
    cells: tuple[int, ...] = ()
    step: str = ""
    reason: str = ""
    noticed: bool = True


def cells_named(text: str) -> tuple[int, ...]:
    """The numbers of the cells that a text names."""
    return tuple(int(number) for found in _CELLS.findall(text) for number in re.findall(r"\d+", found))


class Bench:
    """Runs notebooks and modules, each in a fork of its own of one of two processes."""

    def __init__(self) -> None:
        # As ipykernel and `no_windows` have it. Inline figures are closed at the end of a cell.
        self.notebooks = Forking(ipython=True, seed=1, backend="module://matplotlib_inline.backend_inline")
        self.modules = Forking(ipython=False, seed=2, backend="agg")

    def close(self) -> None:
        self.notebooks.close()
        self.modules.close()

    def outcome(self, spec: Spec, directory: Path) -> Outcome:
        """What p2p makes of the notebook, which is written to `directory`."""
        path = write_spec(spec, directory / "notebooks")
        try:
            if spec.adopt:
                mark(propose(read_notebook(path)))
            notebook = read_notebook(path)
            parameters = parameters_of(notebook)
            parameters.model_source()
            plan = planned(notebook, _NAME, parameters)
        except InputRefused as refusal:
            return Outcome("refused", cells_named(str(refusal)), reason=str(refusal))
        trial = Trial(notebook, plan, parameters, self._record(notebook, directory), 1, directory, self.modules)
        return self._proven(trial)

    def _record(self, notebook: Notebook, directory: Path) -> RunRecord:
        answer = self.notebooks.ask("notebook", directory, notebook=str(notebook.path.resolve()))
        if answer["failed"]:
            raise RuntimeError(f"The notebook itself fails in cell {answer['failed'][0]}: {answer['failed'][1]}")
        return read_record(directory / "recorded")

    def _proven(self, trial: Trial) -> Outcome:
        try:
            proof = proven(trial, ExportOptions())  # type: ignore[arg-type]  # stands in for Work
        except EvidenceRefused as refusal:
            said = [f"{f.where} {f.what} {f.why}" for f in refusal.findings]
            return Outcome("different", step=refusal.fields["step"], reason=" ".join([str(refusal), *said]))
        except P2PError as error:
            return Outcome("broken", reason=f"{type(error).__name__}: {error}")
        return unnoticed(proof.work.plan, proof.verified, trial.seen()) or Outcome("equal")


@dataclass(frozen=True)
class Trial:
    """Stands in for `p2p.export.work.Work`, as far as the proof goes."""

    notebook: Notebook
    plan: Plan
    parameters: ParameterSet
    recorded: RunRecord
    version: int
    directory: Path
    modules: Forking

    def seen(self) -> dict[str, dict[str, Any]]:
        """By number of cell: references of all values that the notebook's names stood for when the cell had ended."""
        found: dict[str, dict[str, Any]] = json.loads((self.directory / "seen.json").read_text(encoding="utf-8"))
        return found

    def write_module(self) -> None:
        shutil.rmtree(self._module, ignore_errors=True)
        store = DiskStore(self.directory / "values")
        write_module(self.plan, self.parameters, self.recorded, store, self._module)

    def run(self, conditions: Conditions) -> tuple[RunRecord, list[str]]:
        if conditions.seed is not None:
            raise RunFailed("A fork has its seeds already, so it cannot tell causes.")
        request = {
            "directory": str(conditions.directory), "values": str(self.directory / "values"),
            "isolated": conditions.isolated,
            "module": f"pipelines.{_NAME}.v1.pipeline", "params": dict(self.parameters.parse({}).plain()),
        }  # fmt: skip
        try:
            answer = self.modules.ask("module", self._module, **request)
        except RuntimeError as error:
            raise RunFailed(f"The exported module could not be run: {str(error).splitlines()[-1]}") from error
        if answer["failed"]:
            step, error = answer["failed"]
            finding = Finding(f"step '{step}'", f"fails in the module: {error}.", "", "")
            raise EvidenceRefused(f"'{_NAME}' was not exported: its module does not run.", [finding], step=step)
        return read_record(self._module / "verified"), []

    def compare(self, verified: RunRecord) -> list[Comparison]:
        compared = compare_runs(self.recorded.steps, verified.steps, self._differences)
        ran = {step.name for step in verified.steps}
        missing = [step.name for step in self.recorded.steps if not step.parent and step.name not in ran]
        refuse_unequal(self.plan, compared, missing)
        return compared

    def _differences(self, pairs: Pairs) -> list[tuple[str, str]]:
        references = [[one.as_dict(), other.as_dict()] for one, other in pairs]
        copies = self.plan.neighbours.copies(f"pipelines.{_NAME}.v1")
        request = {
            "values": str(self.directory / "values"), "pairs": references, "tolerance": TOLERANCE, "copies": copies
        }  # fmt: skip
        answer = self.modules.ask("comparing", self._module, **request)
        return [(exact, beyond) for exact, beyond in answer["differences"]]

    @property
    def _module(self) -> Path:
        return self.directory / "module"


def write_module(
    plan: Plan, parameters: ParameterSet, recorded: RunRecord, store: DiskStore, directory: Path
) -> None:  # fmt: skip
    """Write version 1 of the plan's module."""
    package = directory / "pipelines" / _NAME / "v1"
    package.mkdir(parents=True)
    refs = emit.one_type_each(item for step in recorded.steps for item in step.outputs.items())
    with _steps_formatted():
        files = {
            "params.py": emit.params_file(parameters, plan),
            "steps.py": emit.steps_file(plan, refs, parameters),
            "pipeline.py": emit.pipeline_file(plan, 1),
            "contracts.py": contracting.contracts_file(plan, contracting.infer(recorded.steps, store)),
        }
    files |= dict(plan.neighbours.texts()) if plan.neighbours.files else {}
    for folder in (package.parents[1], package.parent, package):
        (folder / "__init__.py").touch()
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")


@contextmanager
def _steps_formatted() -> Iterator[None]:
    """In the block, ruff is asked for `steps.py` alone: of the other files it would change nothing that counts."""
    run = subprocess.run

    def running(command: list[str], **options: Any) -> Any:
        if "steps.py" in command:
            return run(command, **options)
        return subprocess.CompletedProcess(command, 0, options["input"], "")

    with mock.patch.object(emit.subprocess, "run", running):
        yield


def unnoticed(plan: Plan, verified: RunRecord, seen: Mapping[str, Mapping[str, Any]]) -> Outcome | None:
    """The first difference that p2p would accept: in a value that it does not compare."""
    given = {step.name: step.outputs for step in verified.steps}
    for step in plan.steps:
        if step.is_function:
            continue  # of several in a cell; what they give is p2p's own record
        for name in step.outputs:
            ours, theirs = seen[str(step.cell)].get(name), given[step.name].get(name)
            if ours is not None and (theirs is None or _unlike(ValueRef.from_dict(ours), theirs)):
                reason = f"'{name}' is {ours['preview']:.200} in the notebook, {theirs and theirs.preview:.200} else"
                return Outcome("different", step=step.name, reason=reason, noticed=False)
    return None


def _unlike(ours: ValueRef, theirs: ValueRef) -> bool:
    """Whether two values differ; what is pickled may hold classes, whose bytes are others in a module."""
    if "pickle" in (ours.codec, theirs.codec):
        return ours.codec != theirs.codec
    return (ours.digest, ours.type) != (theirs.digest, theirs.type)
