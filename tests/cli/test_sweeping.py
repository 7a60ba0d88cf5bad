"""How a sweep says how far it is, where no table can be drawn."""

from __future__ import annotations

import pytest

from p2p.cli.sweeping import LiveTable, Standing
from p2p.model import RunStatus
from p2p.sweep import PointResult


def test_the_rest_takes_as_long_as_what_has_ended_here() -> None:
    now = [0.0]
    standing = Standing(lambda: now[0])
    standing.begin(10, 4)
    assert standing.text() == "4 of 10 points done"
    now[0] = 20.0
    standing.end(finished=True)
    standing.end(finished=False)
    assert standing.text() == "5 of 10 points done, 1 failed, about 40 s left"
    for _ in range(4):
        standing.end(finished=True)
    assert standing.text() == "9 of 10 points done, 1 failed"


def test_elsewhere_each_point_is_a_line_with_how_far_the_sweep_is(capsys: pytest.CaptureFixture[str]) -> None:
    with LiveTable() as table:
        table.began(3, 1)
        table.ended(PointResult(2, {"x": "[red]\x1b[2J"}, status=RunStatus.FINISHED, seconds=1.0))
        table.ended(PointResult(3, {"x": 3}, status=RunStatus.FAILED, seconds=1.0, error="no"))
    said = capsys.readouterr()
    assert said.out == ""
    kept, second, third = said.err.splitlines()
    assert "1 of 3 points are done already" in kept
    assert "point 2 of 3" in second
    assert "x=[red]\\x1b[2J" in second
    assert "(2 of 3 points done, about" in second
    assert third.endswith("no  (2 of 3 points done, 1 failed)")
