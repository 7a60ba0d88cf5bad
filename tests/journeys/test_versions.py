"""Versions of a pipeline: what each changed, which one runs, and what never becomes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2p.export import export_notebook
from p2p.manifest import read_manifest
from tests.journeys.workshop import Workshop

STEPS = ("%%step load(size) -> rows\nrows = list(range(size))", "%%step add\ntotal = sum(rows)")


@pytest.mark.soak
def test_each_version_says_how_its_interface_changed_and_promotion_moves_one_line(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as many CI services do: what pytest says is then coloured
    for params in ["size: int = 3", "size: int = 4"]:
        path = workshop.write("sums", *STEPS, params=params)
        assert export_notebook(path, workshop.settings).written
    monkeypatch.delenv("FORCE_COLOR")
    home = workshop.root / "pipelines" / "sums"
    assert [change_of(home / f"v{n}") for n in (1, 2)] == [
        ("first", []),
        ("same interface", ["parameter 'size' defaults to 4, was 3"]),
    ]

    init = home / "__init__.py"
    before = init.read_text(encoding="utf-8").splitlines()
    files = {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path != init}
    done = workshop.p2p("promote", "sums@2")
    assert done.code == 0, done.err
    after = init.read_text(encoding="utf-8").splitlines()
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        ("from .v1.pipeline import pipeline as pipeline", "from .v2.pipeline import pipeline as pipeline")
    ]
    assert {path: path.read_bytes() for path in files} == files
    ran = workshop.p2p("run", "sums", "--json")
    assert (ran.answer["target"], ran.answer["outputs"]) == ("sums@2", {"total": 6})
    unknown = workshop.p2p("promote", "sums@9")
    assert unknown.code == 2
    assert "It has 1, 2." in unknown.err


def change_of(directory: Path) -> tuple[str, list[str]]:
    manifest = read_manifest(directory)
    return manifest.change, manifest.changes


@pytest.mark.soak  # the browser's tests see a finding of such an export
def test_values_that_are_not_the_notebook_s_are_named_and_nothing_is_left(workshop: Workshop) -> None:
    path = workshop.write(
        "chance", "import random, time", "%%step load\nnow = time.time_ns()\nfixed = 1",
        "%%step roll\nrolls = [random.random()]\nsame = fixed",
    )  # fmt: skip
    done = workshop.p2p("export", str(path), "--json")
    assert done.code == 3, done.err
    assert [finding["where"] for finding in done.answer["findings"]] == [
        "step 'load', value 'now'", "step 'roll', value 'rolls'"
    ]  # fmt: skip
    assert "'now'" in done.err
    assert left_over(workshop, "chance") == []


def left_over(workshop: Workshop, name: str) -> list[Path]:
    pipelines = workshop.root / "pipelines"
    return [*pipelines.glob(".export-*"), *pipelines.glob(name)]
