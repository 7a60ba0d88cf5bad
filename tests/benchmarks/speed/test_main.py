"""The command: every line is measured, whatever becomes of the others, and a missed bar is no failure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.speed import __main__ as command
from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Missing, Side
from benchmarks.speed.peers import Peers
from benchmarks.speed.registry import LINES
from benchmarks.speed.rows import SECONDS, Bar, Figure, Row


def missed(bench: Bench) -> Iterator[Row]:
    yield Row(work="slow work", unit=SECONDS, ours=Figure(float(bench.rounds)), bar=Bar("most", 1))


def broken(_bench: Bench) -> Iterator[Row]:
    raise RuntimeError("nothing works")


def test_a_line_that_breaks_says_so_and_the_next_one_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "LINES", {"broken": broken, "missed": missed})
    assert command.main(["--rounds", "2"]) == 0
    printed = capsys.readouterr().out
    assert "| broken | fails: RuntimeError: nothing works |" in printed
    assert "| slow work | 2 s |  |  |  |  | under 1 s | **missed** |" in printed
    for fact in ("Medians of 2.", "cores", "Load:", "PYTHONDONTWRITEBYTECODE", "Python 3", "p2p 0"):
        assert fact in printed


def test_lines_that_take_gigabytes_are_measured_only_where_they_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "LINES", {"missed": missed, "frame": broken})
    command.main(["--rounds", "1"])
    assert "| frame |" not in capsys.readouterr().out
    command.main(["--rounds", "1", "frame"])
    assert "| frame | fails: RuntimeError" in capsys.readouterr().out
    assert {"past", "points", "frame", "panel"} <= set(LINES)


@pytest.mark.parametrize(
    ("arguments", "said"), [(["missed", "nosuch"], "no such line: nosuch"), (["--rounds", "0"], "1 or more")]
)
def test_what_cannot_be_measured_is_refused(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "LINES", {"missed": missed})
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_a_peer_that_is_here_is_not_installed_and_one_that_cannot_be_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(command.Peers.__init__.__globals__["PACKAGES"], "kedro", "no-such-package")
    (tmp_path / "file").touch()
    bench = Bench(1, Peers(tmp_path / "file"))  # no folder can be made there
    here, gone = bench.peer("joblib", "chain_joblib", 1), bench.peer("kedro", "chain_kedro", 1)
    assert isinstance(here, Side)
    assert str(here.command[0]) == sys.executable
    assert list(bench.peers.versions) == ["joblib"]
    assert isinstance(gone, Missing)
    assert "file" in gone.why
