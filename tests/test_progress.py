"""How far work has come, in words; and how often a log hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from p2p.progress import Pace, Progress, duration


@pytest.mark.parametrize(
    ("said", "text", "short"),
    [
        (("epochs: ", 43, 100, "it", 2.0), "epochs 43/100", "43 %"),
        (("", 1200, None, "rows", None), "1,200 rows", "1,200 rows"),
        ((None, 999, 1000, None, None), "999/1,000", "99 %"),
        (("x", 5, 4, "it", None), "x 5/4", "100 %"),
        (("x", float("nan"), float("inf"), "it", "?"), "x 0 it", "0 it"),
        (("x", object(), 0, "it", None), "x 0 it", "0 it"),
        (("x", 0.25, 1, "GB", None), "x 0.25/1", "25 %"),
    ],
)
def test_whatever_a_bar_says_can_be_read(said: tuple[Any, ...], text: str, short: str) -> None:
    progress = Progress.of(*said)
    assert (progress.text(), progress.short()) == (text, short)
    assert Progress.from_dict({**progress.as_dict(), "later": 1}) == progress


def test_a_line_says_how_fast_it_goes_and_how_long_the_rest_takes() -> None:
    assert Progress("epochs", 20, 100, "it", 0.5).line() == "epochs 20/100 (2 s/it, 3 min left)"
    assert Progress("", 20, None, "rows", 1500).line() == "20 rows (1.5e+03 rows/s)"
    assert Progress("epochs", 0, 100).line() == "epochs 0/100"


def test_a_description_of_any_length_stays_a_line() -> None:
    assert len(Progress.of("d" * 10_000, 1, 2, "u" * 10_000, 1).line()) < 200


def test_times_are_only_about_right() -> None:
    assert [duration(s) for s in (-1, 40.4, 89, 200, 4800, 7200)] == [
        "0 s",
        "40 s",
        "89 s",
        "3 min",
        "80 min",
        "2 h 0 min",
    ]


def test_a_line_about_the_same_is_due_once_in_a_while() -> None:
    now = [0.0]
    pace = Pace(30, lambda: now[0])
    due = []
    for now[0] in (0, 29, 30, 31, 59, 60):
        due.append(pace.due("a"))
    assert due == [False, False, True, False, False, True]
    assert not pace.due("b")
    pace.forget("a")
    now[0] = 100
    assert not pace.due("a")
