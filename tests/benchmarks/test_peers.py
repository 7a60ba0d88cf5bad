"""Peers are measured by the values of what they wrote, and are given every doubt."""

from __future__ import annotations

from pathlib import Path

from benchmarks.convert.digests import OWN
from benchmarks.convert.peers.marimo import Marimo
from benchmarks.convert.peers.peer import held_against
from benchmarks.convert.plain import UNSTABLE
from benchmarks.venvs import Venv
from tests.benchmarks.made import plain

RUNS = plain({"xs": "a1", "own": f"c1{OWN}", "drawn": UNSTABLE, "file": None}, {"total": "b1"})


def test_only_steady_values_of_importable_types_are_compared() -> None:
    found = held_against({"xs": "a1", "own": "c2", "drawn": "d2", "file": None, "total": "b1"}, RUNS, says_all=True)
    assert (found.outcome, found.compared) == ("equal", 2)


def test_another_value_is_a_difference() -> None:
    found = held_against({"xs": "a9", "total": "b1"}, RUNS, says_all=False)
    assert (found.outcome, found.other) == ("different", ["xs"])


def test_a_missing_value_is_a_difference_only_where_all_should_be_there() -> None:
    outcomes = [held_against({"xs": "a1"}, RUNS, says_all=says_all).outcome for says_all in (False, True)]
    assert outcomes == ["equal", "different"]


def test_the_last_of_the_names_that_marimo_numbers_is_the_notebooks() -> None:
    runs = plain({"x": "a1", "x_7": "b1"}, {"x": "a3"})
    marimo = Marimo(Venv(Path("nowhere"), {}), 1.0)
    found = marimo.renamed({"x": "a1", "x_2": "a3", "x_1": "a2", "x_7": "b1", "mo": "c1"}, runs)
    assert found == {"x": "a3", "x_7": "b1"}
