"""Measurements: processes of their own in empty directories, the sides in turn, medians, and failures that are told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.commands import Done
from benchmarks.speed.measuring import MARK, Failed, Measured, Missing, Side, in_turn, once, told

_NOTES = "import os, sys; open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit(len(os.listdir()))"


def noting(path: Path, letter: str) -> Side:
    """Writes a letter; fails where its directory is not empty."""
    return Side([sys.executable, "-c", _NOTES, path, letter])


def test_sides_take_turns_each_time_in_an_empty_directory(tmp_path: Path) -> None:
    found = in_turn({name: noting(tmp_path / "notes", name) for name in "ab"}, 2)
    assert (tmp_path / "notes").read_text() == "abab"
    assert {name: len(measured.figures["wall"]) for name, measured in found.items()} == {"a": 2, "b": 2}
    assert all(min(measured.figures[name]) > 0 for measured in found.values() for name in ("wall", "wall_cpu"))


def test_a_side_that_fails_says_how_and_is_not_tried_again_while_the_others_go_on(tmp_path: Path) -> None:
    failing = "import sys; open(sys.argv[1], 'a').write('x'); raise ValueError('no such thing')"
    sides = {
        "bad": Side([sys.executable, "-c", failing, tmp_path / "notes"]),
        "gone": Missing("it cannot be installed"),
        "good": noting(tmp_path / "notes", "g"),
    }
    found = in_turn(sides, 2)
    assert (tmp_path / "notes").read_text() == "xgg"
    assert found["bad"].figure().why == "fails: ValueError: no such thing"
    assert found["gone"].figure().why == "it cannot be installed"
    assert found["good"].figure().value is not None


def test_a_side_that_fails_late_has_no_figures_of_its_good_rounds(tmp_path: Path) -> None:
    second = (
        "import pathlib, sys; p = pathlib.Path(sys.argv[1]); sys.exit(int(p.exists())) if p.exists() else p.touch()"
    )
    found = in_turn({"late": Side([sys.executable, "-c", second, tmp_path / "been"])}, 3)
    assert (found["late"].figure().value, found["late"].figures) == (None, {})


def test_a_figure_is_the_median_of_its_rounds() -> None:
    measured = Measured({"wall": [9.0, 1.0, 2.0], "wall_cpu": [5.0, 3.0, 4.0], "loop": [1.0]})
    assert (measured.figure().value, measured.figure().cpu) == (2.0, 4.0)
    assert (measured.figure("loop").value, measured.figure("loop").cpu) == (1.0, None)
    assert measured.figure("step").why == "it told no 'step'"


def test_the_last_line_of_figures_counts() -> None:
    out = f'noise\n{MARK}{{"step": 1}}\n{MARK}{{"step": 2.5}}\nmore noise'
    assert told(Done(0, out, "", 0.0)) == {"step": 2.5}
    assert told(Done(0, "noise", "", 0.0)) == {}


def test_what_a_measurement_leaves_running_has_ended_before_the_next_one(tmp_path: Path) -> None:
    later = f"import time, pathlib; time.sleep(0.5); pathlib.Path({str(tmp_path / 'ended')!r}).touch()"
    apart = "start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
    starts = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {later!r}], {apart})"
    once(Side([sys.executable, "-c", starts]))
    assert (tmp_path / "ended").exists()


def test_what_is_prepared_is_there_and_a_wrong_exit_is_a_failure() -> None:
    reads = "import pathlib; print('figures {\"size\": %s}' % pathlib.Path('given').read_text())"
    made = once(Side([sys.executable, "-c", reads], lambda folder: (folder / "given").write_text("7")))  # type: ignore[arg-type,return-value]  # what it gives is not looked at
    assert made["size"] == 7.0
    with pytest.raises(Failed, match="FileNotFoundError"):
        once(Side([sys.executable, "-c", reads]))
