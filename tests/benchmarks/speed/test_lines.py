"""The arithmetic of the lines, and the notebooks and projects that they measure."""

from __future__ import annotations

import runpy
from pathlib import Path

import nbformat
import pytest
from papermill.utils import nb_language

from benchmarks.speed import notebooks, projects
from benchmarks.speed.lines import mapping, points, sharing, sweeps
from benchmarks.speed.measuring import Measured, Missing, Side
from benchmarks.speed.projects import PLAIN, with_notebook, with_pipeline
from benchmarks.speed.registry import LINES
from benchmarks.speed.rows import SECONDS_PER_RUN
from benchmarks.speed.work import panel as work
from p2p.export.compile import compile_notebook
from p2p.manifest import versions
from p2p.notebook import parameters_of, read_notebook
from p2p.steps import Step

SWEEP = sweeps.Sweep("s", [], 1.0, many=20, few=5)


def test_one_run_more_costs_what_lies_between_few_and_many_round_by_round() -> None:
    many = Measured({"wall": [25.0, 41.0], "wall_cpu": [16.0, 16.0]})
    few = Measured({"wall": [10.0, 11.0], "wall_cpu": [1.0, 1.0]})
    assert sweeps.one_more(many, few, SWEEP).figures == {"wall": [1.0, 2.0], "wall_cpu": [1.0, 1.0]}
    assert sweeps.whole(many, few, SWEEP).figures == {"wall": [1.25, 2.05], "wall_cpu": [0.8, 0.8]}


def test_a_sweep_that_failed_has_no_cost() -> None:
    good, bad = Measured({"wall": [1.0], "wall_cpu": [1.0]}), Measured(why="fails: no")
    assert [sweeps.one_more(*pair, SWEEP).why for pair in ((good, bad), (bad, good))] == ["fails: no"] * 2
    assert sweeps.whole(bad, good, SWEEP).why == "fails: no"


def test_a_sweep_of_many_points_is_judged_by_processor_time() -> None:
    told = points._by_processor(Measured({"first": [1.0], "first_cpu": [2.0], "last": [9.0], "last_cpu": [3.0]}))
    assert told.figures == {"first": [2.0], "last": [3.0]}
    row = points._row(told, "a run", "", SECONDS_PER_RUN, 1.2)
    assert (row.ours.value, row.theirs.value, row.met) == (3.0, 2.0, False)
    assert points._by_processor(Measured(why="fails: no")).figure("last").why == "fails: no"


def test_what_p2p_does_not_have_yet_is_said_and_what_it_has_is_measured() -> None:
    swept = sweeps.ours(Path("n.ipynb"), 2, 1)
    assert isinstance(swept, Side if sweeps.sweep_is_there() else Missing)
    assert isinstance(mapping.ours(), Side if hasattr(Step, "map") else Missing)


def test_the_part_that_is_not_the_steps_own() -> None:
    assert sharing.part_of(Measured({"wall": [2.0, 4.0]})).figures["share"] == [0.5, 0.75]
    assert sharing.part_of(Measured(why="fails: no")).figure("share").why == "fails: no"


@pytest.mark.parametrize(("cells", "steps"), [(notebooks.light(20), 2), (notebooks.heavy(), 3)])
def test_a_made_notebook_has_steps_that_depend_on_its_parameter_and_none_of_it_for_papermill(
    tmp_path: Path, cells: list[str], steps: int
) -> None:
    path = notebooks.write(tmp_path / "made.ipynb", cells)
    found = read_notebook(path)
    assert [facts["name"] for facts in parameters_of(found).describe()] == ["i"]
    plan = compile_notebook(found, "made", ["i"])
    assert len([step for step in plan.steps if not step.implicit]) == steps
    (tmp_path / "project").mkdir()
    with_notebook(path, first=True)(tmp_path / "project")
    without = nbformat.read(tmp_path / "project" / PLAIN, as_version=4)
    assert "p2p" not in "".join(cell.source for cell in without.cells)
    assert not any(cell.source.startswith("%") for cell in without.cells)
    assert nb_language(without) == "python"  # else papermill refuses it


def test_the_pipeline_of_naps_is_a_version_that_p2p_run_finds(
    tmp_path: Path, ready_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "_store", ready_store.read_bytes)  # the tests have one: making it takes seconds
    with_pipeline(tmp_path)
    assert versions(tmp_path / "pipelines" / "napping") == [1]
    made = runpy.run_path(str(tmp_path / "pipelines" / "napping" / "v1" / "pipeline.py"))["pipeline"]
    assert len(made.tasks) == sharing.STEPS
    assert (tmp_path / "mlruns" / "mlflow.db").read_bytes().startswith(b"SQLite format 3")


def test_every_module_of_a_line_is_in_the_registry() -> None:
    modules = {path.stem for path in Path(sweeps.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(LINES) == modules


def test_the_notebook_of_the_panel_has_as_many_steps_as_are_drawn(tmp_path: Path) -> None:
    made = read_notebook(notebooks.write(tmp_path / "made.ipynb", work.cells(12)))
    assert len(compile_notebook(made, "made", ["i"]).steps) == 12
    assert "p2p.panel()" in made.cells[work._PANEL].source
