"""How often a module is run before an export is refused, and what is told: the runs are counted, not made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from p2p.errors import EvidenceRefused
from p2p.export.diagnosis import Diagnosis, Place
from p2p.export.options import ExportOptions
from p2p.export.plan import Plan
from p2p.export.proving import planned, proven
from p2p.export.verify import Comparison, Conditions, compare_runs, refuse_unequal
from p2p.model import RunStatus, StepRecord, StepState
from p2p.notebook import Notebook, parameters_of
from p2p.params import ParameterSet
from p2p.store import MemoryStore
from p2p.tracking.records import CellBorder, RunRecord
from tests.building import read_built

CELLS = ("%%step load\nrows = [3, 1, 2]", "other = rows[0]", "%%step use\nout = rows[0]")
SEEDS = (CELLS[0], "from bisect import insort as seed_all\nseed_all(rows, 1)", CELLS[2])


@dataclass(frozen=True)
class Counted:
    """Stands in for `Work`: a run of its module gives `out` as `value` has it for the run's conditions."""

    notebook: Notebook
    plan: Plan
    parameters: ParameterSet
    recorded: RunRecord
    value: Callable[[Conditions], Any]
    runs: list[Conditions] = field(default_factory=list)
    version: int = 1

    def write_module(self) -> None:
        pass

    def run(self, conditions: Conditions) -> tuple[RunRecord, list[str]]:
        self.runs.append(conditions)
        return ran(self.value(conditions)), []

    def compare(self, verified: RunRecord) -> list[Comparison]:
        found = compare_runs(self.recorded.steps, verified.steps, lambda pairs: [("differs", "differs") for _ in pairs])
        refuse_unequal(self.plan, found, [])
        return found


def ran(out: object, borders: tuple[CellBorder, ...] = ()) -> RunRecord:
    step = StepRecord("use", StepState.DONE, 0.1, 1, outputs={"out": MemoryStore().put(out)})
    return RunRecord("key", Path(), {}, RunStatus.FINISHED, "id", (step,), borders=borders)


@pytest.fixture
def work(tmp_path: Path) -> Callable[..., Counted]:
    def work(value: Callable[[Conditions], Any], cells: tuple[str, ...] = CELLS, *, moves: bool = False) -> Counted:
        from p2p.analysis import digest_source

        notebook = read_built(tmp_path, *cells)
        parameters = parameters_of(notebook)
        borders = (CellBorder(digest_source(cells[1]), (), ("random",)),) if moves else ()
        plan = planned(notebook, "counted", parameters)
        return Counted(notebook, plan, parameters, ran(3, borders), value)

    return work


def refused(counted: Counted) -> EvidenceRefused:
    with pytest.raises(EvidenceRefused) as caught:
        proven(counted, ExportOptions())  # type: ignore[arg-type]  # stands in for Work
    return caught.value


def by_seed(conditions: Conditions) -> object:
    return 0 if conditions.seed is None else conditions.seed.generators


def test_what_is_drawn_without_a_seed_is_refused_after_four_runs(work: Any) -> None:
    counted = work(by_seed)
    refusal = refused(counted)
    assert len(counted.runs) == 4  # the proof, and from the seeds (1, 1), (2, 2) and (1, 2)
    assert "unseeded random generator" in refusal.findings[0].why
    assert refusal.fields["digest"] == MemoryStore().put(0).digest


def test_a_cell_that_seeds_is_tried(work: Any) -> None:
    seen = [run.purpose for run in self_runs(work(by_seed, SEEDS, moves=True))]
    assert seen == ["verification", "diagnosis", "verification", "diagnosis", "diagnosis"]


def self_runs(counted: Counted) -> list[Conditions]:
    refused(counted)
    return counted.runs


def test_what_stays_the_same_is_tried_with_all_that_may_be_missing_and_runs_no_seed_twice(work: Any) -> None:
    counted = work(lambda _conditions: 7)
    refusal = refused(counted)
    purposes = [run.purpose for run in counted.runs]
    assert purposes.count("verification") > 1
    seeds = [run.seed for run in counted.runs if run.purpose == "diagnosis"]
    assert len(seeds) == len({*seeds})
    assert "only the notebook has" in refusal.findings[0].why


def test_what_is_equal_only_with_shared_memory_is_told_as_that(work: Any) -> None:
    refusal = refused(work(lambda conditions: 7 if conditions.isolated else 3))
    assert "memory that steps share" in refusal.findings[0].why


def test_a_module_that_runs_long_is_not_run_again(work: Any) -> None:
    counted = work(by_seed, ("%%step load\nrows = [3]", "pass", "%%step use\nimport time\nout = time.time()"))
    evidence = EvidenceRefused("no", refused(counted).findings, step="use", value="out", digest="x")
    counted.runs.clear()
    slow = Diagnosis(counted, evidence, ExportOptions(), place=Place(beside=False), seconds=61)  # type: ignore[arg-type]
    assert not slow.varies
    assert "the clock; told by its text alone" in slow.explained().findings[0].why
    assert counted.runs == []


def test_a_file_beside_the_notebook_is_one_it_may_read_unless_it_is_the_notebook_as_text(work: Any) -> None:
    counted = work(by_seed)
    beside = counted.notebook.path.parent
    (beside / "sales.py").write_text("# %%\n", encoding="utf-8")
    refused(counted)
    assert len(counted.runs) == 4
    (beside / "rates.csv").write_text("", encoding="utf-8")
    counted.runs.clear()
    refused(counted)
    assert len(counted.runs) > 4
