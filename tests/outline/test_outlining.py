"""The outline of a notebook: its steps, what passes between them, and what else they use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p2p.outline import Outline, outline


@dataclass(frozen=True)
class Text:
    """A code cell."""

    number: int
    source: str
    tags: tuple[str, ...] = ()


def cells(*sources: str, parameters: int = 0) -> Sequence[Text]:
    """Cells of these texts; the one of this number has the tag."""
    return [Text(n, s, ("parameters",) if n == parameters else ()) for n, s in enumerate(sources, 1)]


def outlined(*sources: str, parameters: int = 0) -> Outline:
    return outline(cells(*sources, parameters=parameters))


CELLS = (
    "import numpy as np\nBASE = 2",
    "month: int = 1",
    "def scale(x):\n    return x * BASE",
    "%%step load\nraw = np.arange(month)",
    "%%step clean(raw) -> tidy\ntidy = scale(raw)",
    "tidy.mean()",
)


def test_marked_cells_are_steps_joined_by_names() -> None:
    found = outlined(*CELLS, parameters=2)
    assert [(s.name, s.cell, s.inputs, s.outputs) for s in found.steps] == [
        ("load", 4, ("month",), ("raw",)), ("clean", 5, ("raw",), ("tidy",)),
    ]  # fmt: skip
    assert found.parameters == ("month",)
    assert found.edges() == [("load", "clean", "raw")]


def test_what_a_step_uses_is_followed_to_the_cells_that_define_it() -> None:
    found = outlined(*CELLS, parameters=2)
    assert [step.uses for step in found.steps] == [{"np": 1}, {"scale": 3, "BASE": 1}]


def test_a_step_function_is_a_step_where_it_is_called() -> None:
    found = outlined(
        "from p2p import step", "@step\ndef train(tidy, share):\n    return tidy, share", "%%step load\ntidy = 1",
        "model, scores = train(tidy, 0.2)", "again, more = train(model, 0.3)",
    )  # fmt: skip
    assert [(s.name, s.cell, s.inputs, s.outputs) for s in found.steps] == [
        ("load", 3, (), ("tidy",)), ("train", 4, ("tidy",), ("model", "scores")),
        ("train_2", 5, ("model",), ("again", "more")),
    ]  # fmt: skip
    assert found.steps[1].uses == {"train": 2, "step": 1}
    assert found.edges() == [("load", "train", "tidy"), ("train", "train_2", "model")]


def test_a_step_function_that_is_called_in_a_loop_takes_what_its_cell_reads() -> None:
    found = outlined(
        "from p2p import step\n@step\ndef one(x):\n    return x", "%%step load\nrows = [1]",
        "for row in rows:\n    one(row)",
    )  # fmt: skip
    assert [(s.name, s.inputs, s.outputs) for s in found.steps] == [("load", (), ("rows",)), ("one", ("rows",), ())]


def test_a_later_definition_counts_for_what_comes_below_it() -> None:
    found = outlined("a = 1", "%%step one\nx = a", "a = 2", "%%step two\ny = a")
    assert [step.uses for step in found.steps] == [{"a": 1}, {"a": 3}]


def test_a_value_that_an_unmarked_cell_replaces_is_no_longer_the_steps() -> None:
    found = outlined("%%step one\nx = 1", "x = x + 1", "%%step two\ny = x")
    assert found.edges() == []
    assert found.steps[1].uses == {"x": 2}


def test_a_cell_that_is_no_python_is_a_problem_and_hides_no_other() -> None:
    found = outlined("%%step one\nx = 1", "def (", "%%step two(x) -> y, z w\ny = 1", "%%step three\nz = x")
    assert [step.name for step in found.steps] == ["one", "three"]
    assert list(found.problems) == [2, 3]
    assert found.step("three") is found.steps[1]
    assert found.step("two") is None


def test_layout_and_comments_change_no_digest() -> None:
    one, other = outlined("%%step a\nx = 1"), outlined("%%step a  --retries 2  # twice\nx   =  1  # one")
    assert one.steps[0].digest == other.steps[0].digest
