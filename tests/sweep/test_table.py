"""The table as a CSV file: all that differs between points, and nothing that a spreadsheet would compute."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from p2p.model import RunStatus
from p2p.sweep.points import PointResult
from p2p.sweep.table import as_csv, harmless


def read(points: list[PointResult]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(points), newline="")))


def test_a_row_has_parameters_measures_run_and_error_of_a_point() -> None:
    points = [
        PointResult(1, {"x": 1, "sizes": [1, 2]}, "key-1", "run-1", RunStatus.FINISHED, 1.5, {"auc": 0.5}),
        PointResult(2, {"x": 2}, "key-2", "", RunStatus.FAILED, 0.5, {}, {}, "fit", "ValueError: no"),
        PointResult(3, {"x": 3}),
    ]
    first, second, third = read(points)
    assert first == {
        "point": "1", "status": "FINISHED", "seconds": "1.5", "params.x": "1", "params.sizes": "[1, 2]",
        "metrics.auc": "0.5", "run_id": "run-1", "run": "key-1", "failed_step": "", "error": "",
    }  # fmt: skip
    assert (second["status"], second["failed_step"], second["error"]) == ("FAILED", "fit", "ValueError: no")
    assert (third["status"], third["seconds"], third["params.x"]) == ("", "", "3")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+1+1", "'+1+1"), ("-cmd|x", "'-cmd|x"), ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("\n=1", "'\n=1"), ("-1.5", "-1.5"), ("+7", "+7"), (-1.5, -1.5),
        ("plain", "plain"), ("a=b", "a=b"), ("", ""), (True, True), (None, "null"), (["=1"], '["=1"]'),
        ("-1 +cmd", "'-1 +cmd"), ("a\0b", "ab"), ("+\u0661", "'+\u0661"),
    ],
)  # fmt: skip
def test_a_text_that_begins_like_a_formula_is_defused_and_a_number_stays(value: Any, cell: Any) -> None:
    assert harmless(value) == cell


def test_names_of_measures_and_errors_are_defused_too() -> None:
    point = PointResult(1, {}, "k", "r", RunStatus.FAILED, 1.0, {"x": 1.0}, {}, "@step", "=1+1")
    row = read([point])[0]
    assert (row["failed_step"], row["error"]) == ("'@step", "'=1+1")
