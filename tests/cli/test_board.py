"""What a cell is told that has started a command."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from p2p.cli.board import BOARD, Board, board
from p2p.cli.progress import Watch
from p2p.cli.sweeping import LiveTable
from p2p.model import RunStatus
from p2p.sweep import Point, PointResult


class Told:
    """The cell's end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        monkeypatch.setenv(BOARD, str(self.writing))

    def lines(self) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in os.read(self.reading, 1_000_000).splitlines()]
        except BlockingIOError:
            return []


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    made = Told(monkeypatch)
    yield made
    os.close(made.reading)
    os.close(made.writing)


def test_what_comes_too_soon_is_left_out_and_the_end_is_not(told: Told) -> None:
    at = board()
    assert at is not None
    for number in range(100):
        at.show(f"{number}", done=number, total=100)
    at.show("all", done=100, total=100, last=True)
    assert [(line["head"], line["last"]) for line in told.lines()] == [("0", False), ("all", True)]
    assert board() is None, "the processes below have none"


def test_what_is_no_pipe_is_not_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    with (tmp_path / "file").open("w") as file:
        for text in (str(file.fileno()), "999", "x", "-1", ""):
            monkeypatch.setenv(BOARD, text)
            assert board() is None


def test_a_run_tells_its_cell_its_step_and_how_far_that_is(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    with Watch() as watch:
        watch.tell("reading it")
        watch({"kind": "cell_started", "cell": 2, "cells": 5})
        watch._seen._board = Board(told.writing)  # as if some time had passed
        moved = {"description": "epochs", "n": 3, "total": 9, "unit": "it", "rate": None}
        watch({"kind": "step_progress", "step": "fit", "id": "a", "parent": "", **moved})
        watch({"kind": "step_finished", "step": "fit", "parent": "", "state": "done", "seconds": 1.0, "attempts": 1})
    first, then, end = told.lines()
    assert (first["head"], first["total"]) == ("reading it", 0)
    assert (then["head"], then["done"], then["total"]) == ("reading it · cell 2 of 5 · step fit: epochs 3/9", 1, 5)
    assert end["head"].startswith("ended after")
    assert end["head"].endswith("steps: 1 done")
    assert end["lines"][0].startswith("reading it: ")
    assert "reading it" not in capsys.readouterr().err


def test_a_sweep_tells_its_cell_and_prints_no_line_for_each_point(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveTable() as table:
        table.began(2, 0)
        table.started(Point(1, {"x": 1}, {}, {"x": 1}))
        table.ended(PointResult(1, {"x": 1}, status=RunStatus.FAILED, seconds=1.0, error="no <b>"))
    first, end = told.lines()
    assert first["head"] == "0 of 2 points done · 1 running"
    assert (end["last"], end["done"], end["total"]) == (True, 1, 2)
    assert end["lines"] == ["point 1 failed 1.0 s  x=1  no <b>"]
    assert capsys.readouterr().err == ""


def test_where_nothing_is_to_be_shown_the_cell_is_told_nothing(told: Told) -> None:
    with LiveTable(quiet=True) as table:
        table.began(2, 0)
        table.started(Point(1, {"x": 1}, {}, {"x": 1}))
    assert told.lines() == []
    assert BOARD not in os.environ
