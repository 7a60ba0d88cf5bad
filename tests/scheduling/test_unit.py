"""The unit for systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from p2p.errors import InputRefused
from p2p.scheduling.unit import unit

ANALYZE = shutil.which("systemd-analyze")
ODD = 'a "project" with 100% $HOME and \\ in it'


def lines(text: str) -> dict[str, str]:
    found = re.findall(r"^(\w+)=(.*)$", text, re.M)
    return dict(found)


def test_it_runs_this_interpreter_in_the_project_and_waits_for_what_is_at_work() -> None:
    told = lines(unit(Path("/home/me/flights"), ["--at-once", "4"], 30.0))
    assert told["WorkingDirectory"] == "/home/me/flights"
    assert told["ExecStart"] == f'"{sys.executable}" "-m" "p2p" "schedule" "start" "--at-once" "4"'
    assert told["Environment"] == '"P2P_ROOT=/home/me/flights"'
    assert (told["Restart"], told["KillSignal"], told["KillMode"]) == ("on-failure", "SIGTERM", "mixed")
    assert int(told["TimeoutStopSec"]) >= 3 * 30


def test_what_systemd_reads_in_a_path_is_escaped() -> None:
    told = lines(unit(Path("/home/me") / ODD, ["--patience", "5$s"], 30.0))
    assert told["WorkingDirectory"] == '/home/me/a "project" with 100%% $HOME and \\ in it'
    assert told["Environment"] == '"P2P_ROOT=/home/me/a \\"project\\" with 100%% $HOME and \\\\ in it"'
    assert told["ExecStart"].endswith('"--patience" "5$$s"')


@pytest.mark.parametrize("name", ["two\nlines", "ends with \\", "space at the end "])
def test_a_path_that_no_unit_can_hold_is_refused(name: str) -> None:
    with pytest.raises(InputRefused, match="cannot stand in a unit"):
        unit(Path("/home/me") / name, [], 30.0)


@pytest.mark.soak
@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed: apt-get install systemd")
@pytest.mark.parametrize("name", ["flights", ODD])
def test_systemd_understands_it(name: str, tmp_path: Path) -> None:
    root = tmp_path / name
    root.mkdir()
    file = tmp_path / "p2p-test.service"
    file.write_text(unit(root, ["--at-once", "2", "--no-page"], 30.0), encoding="utf-8")
    done = subprocess.run([str(ANALYZE), "verify", "--man=no", str(file)], capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "p2p-test" in line]
    assert (done.returncode, said) == (0, [])
