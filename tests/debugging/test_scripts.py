"""A step of a script's run, which `p2p.run` made: opened with the inputs that it had, mended, and taken home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from p2p.debugging import debug, take_home, way_in
from p2p.errors import EvidenceRefused, TargetError
from p2p.history import runs
from p2p.settings import Settings
from tests.debugging.told import ToldStep, mend, ran, read, source, tell

SCRIPT = """
import statistics

import p2p
from p2p import step
from helps.more import halved

RATE = 2


def gross(value):
    return value * RATE


@step
def load(size):
    return list(range(size))


@step(retries=0)
def average(rows, by):
    rows.append(99)  # what it took in is what it was before this
    return gross(statistics.fmean(rows)) / by


def main():
    with p2p.run("nightly"):
        rows = load(3)
        average(rows, 1)
        HOW


if __name__ == "__main__":
    main()
"""
MODULE = "from p2p import step\n\nfrom .most import EVEN\n\n\n@step\ndef halved(value):\n    return EVEN // value\n"


@pytest.fixture
def script(settings: Settings) -> Path:
    """A script beside a package that it imports a step from."""
    folder = settings.root / "jobs"
    (folder / "helps").mkdir(parents=True)
    (folder / "helps" / "__init__.py").touch()
    (folder / "helps" / "most.py").write_text("EVEN = 8\n")
    (folder / "helps" / "more.py").write_text(MODULE)
    return folder / "nightly.py"


def failed(script: Path, how: str) -> str:
    """The key of the run that the script makes."""
    script.write_text(SCRIPT.replace("HOW", how), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "Error" in done.stderr, done.stderr
    return runs(kind="script")[0].summary.key


def test_a_script_s_step_opens_with_its_inputs_and_its_fix_goes_home(script: Path, settings: Settings) -> None:
    key = failed(script, "average([4], 0)")
    before = script.read_text(encoding="utf-8")
    script.write_text(before.replace("* RATE", "* RATE * 1"), encoding="utf-8")
    assert way_in(key, settings).endswith(" --step average")
    known = len(runs())
    done = debug(key, settings)
    assert done.notes == ()
    assert "value * RATE\n" in source(done.path, "p2p-above") + "\n"  # as it ran, and not as it is now
    assert "p2p.run" not in source(done.path, "p2p-above")
    with pytest.raises(ZeroDivisionError):
        ran(done.path)
    mend(done.path, "/ by", "/ (by or 1)")
    names = ran(done.path)
    assert (names["rows"], names["by"], names["result"]) == ([4, 99], 0, 103.0)
    assert len(runs()) == known
    assert take_home(done.path, settings).units == ("average",)
    assert script.read_text(encoding="utf-8") == before.replace("* RATE", "* RATE * 1").replace("/ by", "/ (by or 1)")
    assert take_home(done.path, settings).units == ()
    mend(done.path, "(by or 1)", "(by or 2)")
    script.write_text(before.replace("/ by", "/ by / 1"), encoding="utf-8")
    with pytest.raises(EvidenceRefused, match=r"function was edited since the run, in line 20"):
        take_home(done.path, settings)


def test_a_step_of_a_module_opens_there(script: Path, settings: Settings) -> None:
    done = debug(failed(script, "halved(0)"), settings)
    assert read(done.path)["metadata"]["p2p"]["debug"]["path"] == "jobs/helps/more.py"
    assert "as it is now" in done.notes[0]
    with pytest.raises(ZeroDivisionError):
        ran(done.path)


def test_what_no_file_of_the_project_has_is_refused(settings: Settings) -> None:
    facts = {"run_kind": "script", "name": "nightly"}
    for place in ("../other.py", "<stdin>", ""):
        (settings.root.parent / "other.py").write_text(SCRIPT)
        with pytest.raises(TargetError, match="is not in this project"):
            debug(tell(settings, ToldStep("average", error="E: x"), source=place, **facts), settings)
    (settings.root / "here.py").write_text("def average(): ...\n")
    with pytest.raises(TargetError, match=r"has no step function 'main.<locals>.average' at its top"):
        debug(tell(settings, ToldStep("average", error="E: x", function="main.<locals>.average"), source="here.py",
                   **facts), settings)  # fmt: skip
    assert not (settings.root / "debug").exists()
