"""What the values of an exported version say of it."""

from __future__ import annotations

import json
from dataclasses import replace

from benchmarks.commands import TOO_LONG, Done
from benchmarks.convert.digests import OWN, Digests
from benchmarks.convert.ours import Exported, _cells, _refused, compared
from benchmarks.convert.plain import UNSTABLE, Plain
from tests.benchmarks.made import plain

RUNS = plain({"xs": "a1"}, {"xs": "a2"}, {"total": "b1"})


def _compared(steps: dict[str, tuple[int | None, Digests]], runs: Plain = RUNS) -> Exported:
    found = {step: values for step, (_cell, values) in steps.items()}
    order = [(step, cell) for step, (cell, _values) in steps.items()]
    return compared(order, {"replayed": found}, runs, 1.0)


def test_each_step_is_held_against_the_notebook_after_its_own_cell() -> None:
    assert _compared({"load": (0, {"xs": "a1"}), "sort": (1, {"xs": "a2"})}) == Exported(
        "equal", compared=2, seconds=1.0
    )
    lost = _compared({"load": (0, {"xs": "a1"}), "sort": (1, {"xs": "a1"})})
    assert (lost.outcome, lost.other) == ("different", ["sort/xs (replayed)"])


def test_what_two_plain_runs_do_not_agree_about_is_not_compared() -> None:
    found = _compared({"draw": (0, {"x": "a1"})}, plain({"x": UNSTABLE}))
    assert (found.outcome, found.compared) == ("equal", 0)


def test_a_value_of_the_notebooks_own_class_counts_only_where_it_agrees() -> None:
    runs = plain({"x": f"a1{OWN}"})
    assert [_compared({"make": (0, {"x": d})}, runs).compared for d in ("a1", "a2")] == [1, 0]


def test_without_digests_after_a_cell_the_last_value_counts_for_the_last_step_that_gives_it() -> None:
    runs = Plain(final={"xs": "a2"}, changes=[None, None])
    found = _compared({"load": (0, {"xs": "a1"}), "sort": (1, {"xs": "a2"})}, runs)
    assert (found.outcome, found.compared) == ("equal", 1)


def test_cells_are_counted_as_p2p_does_though_empty_ones_are_not_executed() -> None:
    texts = ["%load_ext p2p", "", "a = 1", "b = 2"]
    adopted = {"cells": [{"cell_type": "code", "source": [text]} for text in texts]}
    assert _cells(adopted, plain_cells=2) == {3: 0, 4: 1}
    assert _cells(adopted, plain_cells=3) == {1: 0, 3: 1, 4: 2}  # the author's own cell


def test_a_refusal_has_a_right_reason_when_it_names_a_value_that_differs_anyway() -> None:
    answer = Done(3, json.dumps({"error": "the first at step 'draw', value 'x': differs"}), "", 1.0)
    assert _refused(answer, plain({"x": UNSTABLE}), 2.0) == Exported(
        "refused", "exit 3: the first at step 'draw', value 'x': differs", right_reason=True, seconds=2.0
    )
    assert not _refused(answer, plain({"x": "a1"}), 2.0).right_reason
    assert not _refused(replace(answer, code=2), plain({"x": UNSTABLE}), 2.0).right_reason


def test_a_command_that_was_stopped_takes_too_long() -> None:
    assert _refused(Done(TOO_LONG, "", "it takes longer", 240.0), RUNS, 240.0).outcome == "takes too long"
