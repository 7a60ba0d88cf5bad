"""How steps stand after edits and runs, told by a kernel that is made of words."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from p2p.outline import Outline, Ranning, Standing, standings, to_run
from tests.outline.test_outlining import outlined

CELLS = [
    "BASE = 2",
    "month: int = 1",
    "def scale(x):\n    return x * BASE",
    "%%step load\nraw = [month]",
    "%%step clean\ntidy = scale(raw)",
    "%%step report\ntext = str(tidy)",
]


def notebook(**edits: str) -> Outline:
    """The notebook, with the cells of these numbers (`c3="..."`) written anew."""
    sources = [*CELLS]
    for which, source in edits.items():
        sources[int(which[1:]) - 1] = source
    return outlined(*sources, parameters=2)


class Kernel:
    """Runs cells, as far as a `Ranning` is told; each step gives values with the digests that it is asked to."""

    def __init__(self) -> None:
        self.values = {"month": "m1"}
        self.ranning = Ranning(self.values.get)

    def run(self, outline: Outline, *cells: int, gives: Mapping[str, str] | None = None, failed: str = "") -> None:
        for number in cells:
            self.ranning.cell(outline.sources[number])
            for step in (s for s in outline.steps if s.cell == number):
                inputs = {n: {"digest": self.ranning.value(n) if self.ranning.gave(n) else None} for n in step.inputs}
                self.ranning.append("step_started", step=step.name, inputs=inputs, parent="")
                if step.name == failed:
                    told = {"state": "failed", "outputs": {}, "error_type": "ValueError", "error": "no"}
                else:
                    outputs = {n: {"digest": (gives or {}).get(n, f"{n}1")} for n in step.outputs}
                    told = {"state": "done", "outputs": outputs}
                self.ranning.append("step_finished", step=step.name, parent="", seconds=1.0, attempts=1, **told)

    def standings(self, outline: Outline) -> list[Standing]:
        return standings(outline, self.ranning)

    def states(self, outline: Outline) -> dict[str, str]:
        return {one.step.name: one.state for one in self.standings(outline)}

    def why(self, outline: Outline) -> dict[str, tuple[str, ...]]:
        return {one.step.name: one.why for one in self.standings(outline) if one.why}

    def to_run(self, outline: Outline) -> list[int]:
        return to_run(self.standings(outline), outline, self.ranning)


@pytest.fixture
def kernel() -> Kernel:
    """One in which the whole notebook has run."""
    made = Kernel()
    made.run(notebook(), *range(1, 7))
    return made


def test_nothing_has_run_in_a_fresh_kernel() -> None:
    kernel = Kernel()
    assert set(kernel.states(notebook()).values()) == {"never"}
    assert kernel.to_run(notebook()) == [1, 3, 4, 5, 6]


def test_all_that_has_run_and_was_not_touched_is_done(kernel: Kernel) -> None:
    assert kernel.states(notebook()) == {"load": "done", "clean": "done", "report": "done"}
    assert kernel.to_run(notebook()) == []


def test_an_edited_step_is_stale_and_so_is_what_follows_from_it(kernel: Kernel) -> None:
    edited = notebook(c5="%%step clean\ntidy = scale(raw) + [1]")
    assert kernel.why(edited) == {
        "clean": ("its code was edited since it ran",),
        "report": ("step 'clean', which gives 'tidy', is stale",),
    }
    assert kernel.to_run(edited) == [5, 6]


def test_what_follows_is_no_longer_stale_where_the_edit_gives_the_same_value(kernel: Kernel) -> None:
    edited = notebook(c5="%%step clean\ntidy = list(scale(raw))")
    kernel.run(edited, 5)
    assert kernel.why(edited) == {}


def test_what_follows_is_stale_where_the_value_is_another(kernel: Kernel) -> None:
    edited = notebook(c5="%%step clean\ntidy = scale(raw) + [1]")
    kernel.run(edited, 5, gives={"tidy": "tidy2"})
    assert kernel.why(edited) == {"report": ("step 'clean' has given 'tidy' another value",)}
    kernel.run(edited, 6)
    assert kernel.why(edited) == {}


def test_a_comment_makes_nothing_stale(kernel: Kernel) -> None:
    assert kernel.why(notebook(c5="%%step clean\n# tidier\ntidy  = scale(raw)")) == {}


def test_an_edited_helper_makes_those_stale_that_use_it(kernel: Kernel) -> None:
    edited = notebook(c3="def scale(x):\n    return x * BASE * 2")
    assert kernel.why(edited)["clean"] == ("`scale`, which it uses, was edited in cell 3",)
    assert kernel.to_run(edited) == [3, 5, 6]
    kernel.run(edited, 3)
    assert kernel.why(edited)["clean"] == ("`scale`, which it uses, was defined anew",)
    assert kernel.to_run(edited) == [5, 6]


def test_an_edited_constant_of_a_helper_does_too(kernel: Kernel) -> None:
    edited = notebook(c1="BASE = 3")
    assert kernel.why(edited)["clean"] == ("`BASE`, which it uses, was edited in cell 1",)
    assert "load" not in kernel.why(edited)


def test_a_parameter_that_has_another_value_makes_those_stale_that_take_it(kernel: Kernel) -> None:
    kernel.values["month"] = "m2"
    assert kernel.why(notebook())["load"] == ("you have given 'month' another value",)


def test_a_value_that_nobody_can_tell_makes_nothing_stale(kernel: Kernel) -> None:
    del kernel.values["month"]
    assert kernel.why(notebook()) == {}


def test_a_failed_step_has_failed_and_what_follows_is_stale(kernel: Kernel) -> None:
    kernel.run(notebook(), 5, failed="clean")
    states = kernel.standings(notebook())
    assert (states[1].state, states[1].ran and states[1].ran.error) == ("failed", "ValueError: no")
    assert kernel.why(notebook()) == {"report": ("step 'clean', which gives 'tidy', has failed",)}
    assert kernel.to_run(notebook()) == [5, 6]


def test_a_step_at_work_is_running(kernel: Kernel) -> None:
    kernel.ranning.append("step_started", step="load", inputs={}, parent="")
    assert kernel.states(notebook())["load"] == "running"


def test_nested_steps_are_no_steps_of_the_notebook(kernel: Kernel) -> None:
    kernel.ranning.append("step_started", step="inner", inputs={}, parent="load")
    kernel.ranning.append("step_finished", step="inner", parent="load", state="failed", outputs={})
    assert "inner" not in kernel.ranning.steps


def test_a_new_step_in_between_has_never_run_and_what_takes_its_value_is_stale(kernel: Kernel) -> None:
    edited = outlined(*CELLS[:5], "%%step trim\ntidy = tidy[:1]", CELLS[5], parameters=2)
    assert kernel.states(edited) == {"load": "done", "clean": "done", "trim": "never", "report": "stale"}
    assert kernel.why(edited) == {"report": ("step 'trim', which gives 'tidy', has not run here",)}
    assert kernel.to_run(edited) == [6, 7]
