"""Exported schedules in the hands of the real schedulers, which read the files, and run what is in them.

`P2P_SCHEDULERS` names a folder of virtual environments: `light` (check-jsonschema, kubernetes-validate), `airflow`
(apache-airflow 3), `prefect` (3), `dagster`. cron and systemd are the machine's own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeVar

import pytest

import p2p
from p2p.scheduling.exports import Asked, export, put
from p2p.scheduling.model import Schedule
from p2p.scheduling.triggers import read_trigger
from p2p.settings import Settings
from tests.scheduling.exports.told import FIT_FOR_CRON, HOSTILE, schedule, told, write_project
from tests.soak.saying import say

pytestmark = pytest.mark.soak
ALL = "\n".join(HOSTILE)
T = TypeVar("T")
AT = "2026-11-20T06:00:00+00:00"
_CHUNK = """import json, sys
with open({path!r}, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""


@pytest.fixture
def root(settings: Settings) -> Path:
    return write_project(settings.root)


def tool(name: str, program: str) -> str:
    """A program of one of the environments; the test is skipped where it is not there."""
    folder = os.environ.get("P2P_SCHEDULERS", "")
    path = Path(folder, name, "bin", program)
    if not folder or not path.is_file():
        pytest.skip(f"no {name}/bin/{program} in P2P_SCHEDULERS")
    return str(path)


def on_this_machine(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} on this machine")
    return found


def call(command: Sequence[str], cwd: Path, **env: str) -> str:
    """Run it with this p2p; gives all that it said."""
    ours = {"PYTHONPATH": str(Path(p2p.__file__).parents[1]), "P2P_ROOT": str(cwd)}
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **ours, **env}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def exported(to: str, asked: Schedule, settings: Settings, into: Path, **options: Any) -> list[Path]:
    into.mkdir(exist_ok=True)
    return put(export(asked, Asked(to=to, **options), settings, datetime.now(UTC)), into, replace=True)


def check_told(root: Path, day: str = "2026-11-20") -> None:
    (found,) = told(root)
    assert (found["text"], found["day"]) == (ALL, day)
    assert not [*root.rglob("owned")]


def test_cron_reads_the_line_and_its_shell_has_the_words(root: Path, settings: Settings, tmp_path: Path) -> None:
    """What cron does with a `%` is done here as its source does it; `test_the_daemon_of_cron` has it done by cron."""
    crontab = on_this_machine("crontab")
    for number, text in enumerate(FIT_FOR_CRON):
        (path,) = exported("cron", schedule(text), settings, tmp_path / str(number))
        call([crontab, "-n", str(path)], root)
    say(f"schedulers: crontab -n took {len(FIT_FOR_CRON)} lines with hostile values")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts a cron")
def test_the_daemon_of_cron(root: Path, settings: Settings, tmp_path: Path) -> None:
    """Every minute, each line writes down the words that it was given."""
    cron, crontab = on_this_machine("cron"), on_this_machine("crontab")
    if subprocess.run([crontab, "-l"], capture_output=True).returncode == 0:
        pytest.skip("there is a crontab, which is somebody's")
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\n{_CHUNK.format(path=str(tmp_path / 'words.jsonl'))}")
    program.chmod(0o700)
    lines = []
    for number, text in enumerate(FIT_FOR_CRON):
        asked = schedule(text, when="* * * * *", name=f"told{number}")
        (path,) = exported("cron", asked, settings, tmp_path / "tabs", python=str(program))
        lines += [line for line in path.read_text().splitlines() if not line.startswith("#")]
    (tmp_path / "tab").write_text("".join(f"{line}\n" for line in lines))
    call([crontab, str(tmp_path / "tab")], root)
    daemon = subprocess.Popen([cron, "-f"])
    try:
        deadline = time.monotonic() + 130
        while time.monotonic() < deadline and len(_lines(tmp_path / "words.jsonl")) < len(FIT_FOR_CRON):
            time.sleep(1)
    finally:
        call([crontab, "-r"], root)
        daemon.terminate()
        daemon.wait()
    got = {words[3] for words in _lines(tmp_path / "words.jsonl")}
    assert got == {f"--param=text={text}" for text in FIT_FOR_CRON}
    say(f"schedulers: cron ran {len(got)} lines with hostile values, each word as it was")


def _lines(path: Path) -> list[list[str]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_systemd_takes_the_units(root: Path, settings: Settings, tmp_path: Path) -> None:
    analyze = on_this_machine("systemd-analyze")
    for number, text in enumerate([*HOSTILE, ALL]):
        paths = exported("systemd", schedule(text), settings, tmp_path / str(number))
        said = call([analyze, "verify", "--man=no", *map(str, paths)], root)
        assert "p2p-told" not in said, said
    say(f"schedulers: systemd-analyze verify took {len(HOSTILE) + 1} services and timers with hostile values")


def test_systemd_reads_the_words(root: Path, settings: Settings, tmp_path: Path) -> None:
    """What it would run is asked of systemd itself, which only an ordinary user may ask so."""
    systemd = Path("/lib/systemd/systemd")
    if not systemd.exists():
        pytest.skip("no systemd on this machine")
    exported("systemd", schedule(ALL), settings, tmp_path / "units")
    units = Path(tempfile.mkdtemp(prefix="p2p-units-"))  # pytest's own folders are closed to others
    try:
        shutil.copytree(tmp_path / "units", units, dirs_exist_ok=True)
        units.chmod(0o755)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        env = {"SYSTEMD_UNIT_PATH": f"{units}:/lib/systemd/system", "SYSTEMD_LOG_TARGET": "console"}
        said = call([*as_nobody, str(systemd), "--test", "--system", "--unit=p2p-told.service"], Path("/"), **env)
    finally:
        shutil.rmtree(units)
    (line,) = [one.partition(": ")[2] for one in said.split("\n") if "Command Line: " in one and " -m p2p run " in one]
    text = re.search(r'"--param=text=((?:[^"\\]|\\.)*)"', line)
    assert text is not None
    told_it = re.sub(r"\\([0-7]{3}|.)", lambda m: _SHOWN.get(m[1]) or _octal(m[1]), text[1]).replace("$$", "$")
    assert told_it == ALL
    say("schedulers: systemd --test read every hostile value as it was")


_SHOWN = {"n": "\n", "r": "\r", "t": "\t"}


def _octal(text: str) -> str:
    return chr(int(text, 8)) if text.isdigit() and len(text) == 3 else text


@pytest.mark.parametrize(
    "when",
    ["0 6 * * 1-5", "*/7 3-5 * 2,3 *", "0 6 L * *", "0 6 1,L * 1", "0 6 * * FRI#2", "0 6 */15 * 1", "30 2 13 * 5",
     "every 6 h", "at 2027-01-01 06:00"],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_systemd_is_due_when_p2p_is(when: str, zone: str, root: Path, settings: Settings, tmp_path: Path) -> None:
    analyze = on_this_machine("systemd-analyze")
    _service, timer = exported("systemd", schedule(when=when, zone=zone), settings, tmp_path / "units")
    events = [one.partition("=")[2] for one in timer.read_text().splitlines() if one.startswith("OnCalendar=")]
    base = datetime(2026, 11, 28, 12, tzinfo=UTC)
    said = call(
        [analyze, "calendar", "--iterations=40", "--base-time=2026-11-28 12:00:00 UTC", *events], root, TZ="UTC"
    )
    times = {*re.findall(r"[A-Z][a-z]{2} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", said)}
    found = sorted(datetime.fromisoformat(one).replace(tzinfo=UTC) for one in times)
    trigger, moment = read_trigger(when, zone), base
    wanted: list[datetime] = []
    while len(wanted) < 20 and (following := trigger.after(moment)) is not None:
        wanted.append(moment := following)
    assert [*islice(found, len(wanted))] == wanted


def test_kubernetes_takes_the_job(root: Path, settings: Settings, tmp_path: Path) -> None:
    validate = tool("light", "kubernetes-validate")
    for number, text in enumerate([*HOSTILE, ALL]):
        asked = schedule(text, retries=2, timeout=60.0, zone="Asia/Tokyo")
        (path,) = exported(
            "kubernetes", asked, settings, tmp_path / str(number), image="registry/image:1", folder="/project"
        )
        said = call([validate, "--strict", str(path)], root)
        assert "passed" in said, said
    say(f"schedulers: kubernetes-validate --strict took {len(HOSTILE) + 1} jobs with hostile values")


def test_github_takes_the_workflow(root: Path, settings: Settings, tmp_path: Path) -> None:
    check = tool("light", "check-jsonschema")
    folder = tmp_path / "workflows"
    paths = [
        exported("github-actions", schedule(text, name=f"told{n}", zone="Asia/Tokyo", timeout=60.0), settings, folder)[
            0
        ]
        for n, text in enumerate([*HOSTILE, ALL])
    ]
    call([check, "--builtin-schema", "vendor.github-workflows", *map(str, paths)], root)
    say(f"schedulers: check-jsonschema took {len(paths)} workflows with hostile values")


@pytest.mark.parametrize("per", ["run", "step"])
def test_airflow_runs_the_dag(per: str, root: Path, settings: Settings, tmp_path: Path) -> None:
    airflow, python = tool("airflow", "airflow"), tool("airflow", "python")
    exported("airflow", schedule(ALL), settings, tmp_path / "dags", per=per)
    env = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }  # fmt: skip
    call([airflow, "db", "migrate"], root, **env)
    read = "from airflow.dag_processing.dagbag import DagBag as B\nb = B()\nassert not b.import_errors\nprint(*b.dags)"
    assert call([python, "-c", read], root, **env).split()[-1] == "told"
    call([airflow, "dags", "test", "told", AT], root, **env)
    check_told(root)
    say(f"schedulers: airflow dags test ran a task per {per}, with its logical date and every hostile value")


_DAGSTER = """
import sys
from datetime import datetime

import dagster as dg
import told

instance = dg.DagsterInstance.get()
moment = datetime.fromisoformat(sys.argv[1])
asked = told.scheduled(dg.build_schedule_context(instance=instance, scheduled_execution_time=moment))
done = told.defs.resolve_job_def("told_job").execute_in_process(instance=instance, tags=asked.tags)
assert done.success
"""


@pytest.mark.parametrize("per", ["run", "step"])
def test_dagster_runs_the_job_of_its_schedule(per: str, root: Path, settings: Settings, tmp_path: Path) -> None:
    dagster, python = tool("dagster", "dagster"), tool("dagster", "python")
    (path,) = exported("dagster", schedule(ALL), settings, tmp_path / "code", per=per)
    env = {"DAGSTER_HOME": str(tmp_path / "dagster"), "PYTHONPATH": f"{Path(p2p.__file__).parents[1]}:{path.parent}"}
    Path(env["DAGSTER_HOME"]).mkdir()
    call([dagster, "definitions", "validate", "-f", str(path)], root, **env)
    call([python, "-c", _DAGSTER, AT], root, **env)
    check_told(root)
    say(f"schedulers: dagster ran an asset per {per}, with its time and every hostile value")


def test_prefect_runs_the_flow(root: Path, settings: Settings, tmp_path: Path) -> None:
    python = tool("prefect", "python")
    (path,) = exported("prefect", schedule(ALL), settings, tmp_path / "code")
    env = {"PREFECT_HOME": str(tmp_path / "prefect"), "PYTHONPATH": f"{Path(p2p.__file__).parents[1]}:{path.parent}"}
    env["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"  # the machine may have other work
    today = datetime.now(UTC)
    call([python, "-c", "import told; print(told.schedule()); told.scheduled()"], root, **env)
    check_told(root, f"{today:%Y-%m-%d}")
    say("schedulers: prefect ran the flow, with every hostile value")


def test_prefect_serves_the_flow_at_its_times(root: Path, settings: Settings, tmp_path: Path) -> None:
    """A server, the file as its own deployment, and the first run that it plans: with the time that was planned."""
    python = tool("prefect", "python")
    (path,) = exported("prefect", schedule(ALL, when="every 20 s"), settings, tmp_path / "code")
    with (tmp_path / "log").open("w") as log, prefect_server(tmp_path / "prefect", log) as address:
        env = {"PREFECT_API_URL": address, "PYTHONPATH": str(Path(p2p.__file__).parents[1]), "P2P_ROOT": str(root)}
        with at_work([python, str(path)], log, **env, PREFECT_HOME=str(tmp_path / "prefect")) as served:
            (*_, run) = wait_for(lambda: completed(address), served, log, 240)
    found = told(root)[0]
    planned = datetime.fromisoformat(found["time"])
    assert found["text"] == ALL
    assert (planned.second % 20, planned.microsecond) == (0, 0)
    assert planned == datetime.fromisoformat(run["expected_start_time"])
    assert planned <= datetime.fromisoformat(run["start_time"])
    say(f"schedulers: prefect served the flow, planned it for {planned:%H:%M:%S}, and began it at {run['start_time']}")


@contextmanager
def prefect_server(home: Path, log: IO[str]) -> Iterator[str]:
    """A server of Prefect's that answers; gives the address of its API. It says that it is ready before it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [tool("prefect", "prefect"), "server", "start", "--port", port]
    env = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    with at_work(command, log, **env) as server:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/api/health"), server, log, 240)
        yield f"http://127.0.0.1:{port}/api"


@contextmanager
def at_work(command: Sequence[str], log: IO[str], **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """In the block, this program is at work."""
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def wait_for(ask: Callable[[], T], process: subprocess.Popen[bytes], log: IO[str], seconds: float) -> T:
    """What it gives as soon as that is something, while the process is at work."""
    limit = time.monotonic() + seconds
    while not (found := ask()):
        said = Path(log.name).read_text()[-3000:]
        assert process.poll() is None, said
        assert time.monotonic() < limit, said
        time.sleep(0.5)
    return found


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def completed(address: str) -> list[dict[str, Any]]:
    """The flow runs that Prefect says have ended well, the first one last."""
    asked = {"sort": "EXPECTED_START_TIME_DESC", "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    request = urllib.request.Request(
        f"{address}/flow_runs/filter", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: list[dict[str, Any]] = json.load(answer)
        return found
