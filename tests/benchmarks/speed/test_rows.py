"""Rows compare honestly: a bar that is missed is said to be missed, and what is not known is not a success."""

from __future__ import annotations

import pytest

from benchmarks.speed.rows import GB_PER_SECOND, MS, SECONDS, Bar, Figure, Row, Unit, cells, table, verdict

NONE = Figure()


def row(ours: Figure | float, theirs: Figure | float = NONE, bar: Bar | None = None, unit: Unit = SECONDS) -> Row:
    one, other = (given if isinstance(given, Figure) else Figure(given) for given in (ours, theirs))
    return Row(work="w", unit=unit, ours=one, peer="them", theirs=other, bar=bar)


def test_less_time_and_more_bytes_a_second_are_better() -> None:
    assert row(2.0, 6.0).better == 3.0
    assert row(2.0, 6.0, unit=GB_PER_SECOND).better == pytest.approx(1 / 3)
    by_cpu = Figure(1.0, cpu=8.0), Figure(1.0, cpu=2.0)
    assert (row(*by_cpu).cpu_better, row(*by_cpu, unit=GB_PER_SECOND).cpu_better) == (0.25, 4.0)


@pytest.mark.parametrize(
    ("ours", "theirs", "bar", "met"),
    [
        (1.0, 15.0, Bar("better", 15), True),
        (1.0, 14.9, Bar("better", 15), False),
        (1.15, 1.0, Bar("cost", 1.15), True),
        (1.16, 1.0, Bar("cost", 1.15), False),
        (1.0, 0.0, Bar("cost", 1.15), None),
        (0.0002, Figure(), Bar("most", 0.2), True),
        (0.00021, Figure(), Bar("most", 0.2), False),
        (Figure(why="fails"), 1.0, Bar("better", 2), None),
        (1.0, Figure(why="fails"), Bar("better", 2), None),
        (Figure(why="fails"), 1.0, Bar("most", 2), None),
        (1.0, 2.0, None, None),
    ],
)
def test_a_bar_is_met_by_the_figure_that_it_is_about(
    ours: Figure | float, theirs: Figure | float, bar: Bar | None, met: bool | None
) -> None:
    assert row(ours, theirs, bar, MS).met is met


def test_a_rate_is_met_from_its_limit_on() -> None:
    bar = Bar("least", 3)
    assert [row(value, bar=bar, unit=GB_PER_SECOND).met for value in (2.9e9, 3.0e9)] == [False, True]


def test_the_verdict_says_missed_and_tells_apart_what_was_not_measured() -> None:
    bar = Bar("better", 2)
    assert [verdict(found) for found in (row(1.0, 1.0, bar), row(1.0, 2.0, bar), row(1.0, bar=bar), row(1.0, 2.0))] == [
        "**missed**", "yes", "not measured", "",
    ]  # fmt: skip


def test_a_row_shows_both_figures_the_ratio_and_why_one_is_missing() -> None:
    assert cells(row(Figure(0.5, cpu=1.0), Figure(2.0, cpu=0.5), Bar("better", 5))) == [
        "w", "0.5 s (CPU 1)", "them", "2 s (CPU 0.5)", "4x better", "2x worse", "5x better", "**missed**",
    ]  # fmt: skip
    assert cells(row(2.0, Figure(why="it cannot be installed"), Bar("cost", 1.3)))[3:6] == [
        "it cannot be installed", "", "",
    ]  # fmt: skip
    assert cells(row(3.0, 2.0, Bar("cost", 1.3)))[4] == "1.5x its"


def test_a_table_is_a_table_whatever_a_failure_says() -> None:
    lines = table([row(Figure(why="a | b\nc")), row(1234.5, 0.00012)]).splitlines()
    assert {line.replace("\\|", "").count("|") for line in lines} == {9}
    assert "a \\| b c" in lines[2]
    assert "1,234 s" in lines[3]
    assert "0.00012 s" in lines[3]
