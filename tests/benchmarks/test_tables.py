"""The tables count every notebook once."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from benchmarks.convert.ours import Exported
from benchmarks.convert.plain import UNSTABLE, Plain
from benchmarks.convert.tables import outcomes, refusals, share
from tests.benchmarks.made import plain


def _told(runs: Plain, **stages: Exported) -> dict[str, Any]:
    return {"plain": asdict(runs), **{stage: asdict(made) for stage, made in stages.items()}}


STEADY, MOVING = plain({"x": "a1"}), plain({"x": UNSTABLE})
RESULTS = {
    "a.ipynb": _told(STEADY, p2p=Exported("equal", compared=3)),
    "b.ipynb": _told(STEADY, p2p=Exported("refused", "exit 2: a | b")),
    "c.ipynb": _told(MOVING, p2p=Exported("refused", "exit 3: 'x'", right_reason=True)),
    "d.ipynb": _told(plain(error="no module")),
}


def test_each_outcome_is_counted() -> None:
    table = outcomes(RESULTS, {"p2p": "p2p"})
    for row in ("| equal | 1 |", "| refused | 2 |", "| different | 0 |", "| does not run | 1 |", "values compared | 3"):
        assert row in table


def test_the_share_is_of_the_deterministic_ones() -> None:
    assert share(RESULTS, "p2p").startswith(
        "p2p: of 3 notebooks that run, 2 are deterministic, and 1 of these are equal (50%)."
    )


def test_a_refusal_is_shown_with_its_reason_and_whether_two_runs_agree() -> None:
    rows = refusals(RESULTS)
    assert "| b.ipynb | refused | yes | exit 2: a \\| b |" in rows
    assert "| c.ipynb | refused | no: x | exit 3: 'x' (that value is another in the second plain run too) |" in rows
    assert "a.ipynb" not in rows
    assert "d.ipynb" not in rows


def test_a_value_that_moves_in_the_middle_makes_a_notebook_undeterministic() -> None:
    runs = plain({"x": UNSTABLE}, {"x": "a1"})
    assert share({"a.ipynb": _told(runs)}, "p2p").startswith("p2p: of 1 notebooks that run, 0 are deterministic")
