"""An hour of real scheduling with faults: `python -m tests.soak.scheduling_hour FOLDER [MINUTES]`.

A project in FOLDER, whose MLflow is a server, with a run each minute on warm kernels. Every few minutes something goes
wrong: the scheduler is killed, its worker, or the kernel; the disk is full; MLflow is gone. In the end each minute must
be accounted for, in the ledger and in MLflow. FOLDER should be a small file system of its own (`mount -t tmpfs -o
size=400M`): it is filled.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import nbformat
import psutil

from p2p.scheduling.adding import add
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Missed, Overlap, Schedule, TickState
from p2p.scheduling.owners import utc_now
from p2p.scheduling.triggers import times
from p2p.settings import Settings

CELLS = (
    "%load_ext p2p",
    "import datetime\nat: datetime.datetime = datetime.datetime(2026, 1, 1)\nrows: int = 1000",
    "%%step load\nimport pandas as pd\nimport numpy as np\nframe = pd.DataFrame({'x': np.arange(rows) % 7})",
    "%%step wait\nimport time\ntime.sleep(15)\nready = len(frame)",
    "%%step total\nimport mlflow\ntotal = int(frame.x.sum())\nmlflow.log_metric('total', total)",
)
EVERY = 240.0  # seconds between two faults


class Hour:
    """The project, its server and its scheduler."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = "http://127.0.0.1:5987"
        self.settings = Settings(root, self.uri)
        self.environment = {**os.environ, "P2P_ROOT": str(root), "MLFLOW_TRACKING_URI": self.uri}
        self.told: list[str] = []
        self.server: subprocess.Popen[bytes] | None = None
        self.scheduler: subprocess.Popen[bytes] | None = None

    def say(self, text: str) -> None:
        self.told.append(text)
        print(f"{utc_now():%H:%M:%S} {text}", flush=True)  # noqa: T201  # it is a command

    def make(self) -> None:
        (self.root / "notebooks").mkdir(parents=True, exist_ok=True)
        (self.root / "pyproject.toml").touch()
        v4 = nbformat.v4
        cells = [v4.new_code_cell(c, metadata={"tags": ["parameters"]} if n == 1 else {}) for n, c in enumerate(CELLS)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(
            v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), self.root / "notebooks" / "minute.ipynb"
        )

    def serve(self) -> None:
        """Start MLflow's server, on a store outside of the small disk."""
        store = Path(str(self.root) + "-mlflow")
        store.mkdir(exist_ok=True)
        self.server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{store}/mlflow.db",
             "--artifacts-destination", str(store / "artifacts"), "--serve-artifacts", "--workers", "1", "--host",
             "127.0.0.1", "--port", "5987"],
            cwd=store, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        )  # fmt: skip
        for _ in range(240):
            with suppress(OSError):
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
                return
            time.sleep(0.5)
        raise RuntimeError("MLflow does not answer")

    def start(self) -> None:
        with Path(f"{self.root}-scheduler.log").open("ab") as log:
            self.scheduler = subprocess.Popen(
                [sys.executable, "-m", "p2p", "schedule", "start"], cwd=self.root, env=self.environment, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    # The faults

    def kill_scheduler(self) -> None:
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()
        time.sleep(random.uniform(1, 90))
        self.start()

    def kill_worker(self) -> None:
        self._kill("p2p.scheduling.worker")

    def kill_kernel(self) -> None:
        """The process that kernels are forked from, and with it the kernel at work."""
        self._kill("p2p.kernels")

    def _kill(self, words: str) -> None:
        assert self.scheduler is not None
        for process in psutil.Process(self.scheduler.pid).children(recursive=True):
            with suppress(psutil.Error):
                if words in " ".join(process.cmdline()):
                    process.kill()

    def fill_disk(self) -> None:
        with suppress(OSError), (self.root / "filling").open("wb") as file:
            while True:
                file.write(b"\0" * 2**16)
        time.sleep(random.uniform(20, 80))
        (self.root / "filling").unlink()

    def stop_mlflow(self) -> None:
        assert self.server is not None
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        time.sleep(random.uniform(20, 100))
        self.serve()

    # The hour

    def run(self, minutes: float) -> int:
        self.make()
        self.serve()
        now = utc_now()
        add(
            Schedule(
                name="minute", target="notebooks/minute.ipynb", when="* * * * *", params={"at": "{logical_time}"},
                missed=Missed.ALL, most=1000, overlap=Overlap.QUEUE, retries=5, retry_delay=5.0, timeout=120.0,
            ), self.settings, now,
        )  # fmt: skip
        self.start()
        faults = [self.kill_scheduler, self.fill_disk, self.stop_mlflow, self.kill_worker, self.kill_kernel]
        end, number = time.monotonic() + minutes * 60, 0
        while time.monotonic() + EVERY < end:
            time.sleep(EVERY * random.uniform(0.3, 1.0))
            self.say(f"fault: {faults[number % len(faults)].__name__}")
            faults[number % len(faults)]()
            number += 1
        time.sleep(max(0.0, end - time.monotonic()))
        until = utc_now()
        ledger = Ledger(self.settings.schedules)
        ledger.pause("minute", paused=True)
        for _ in range(600):
            if not ledger.open_ticks():
                break
            ledger.pause("minute", paused=False)  # what is queued still runs
            time.sleep(1)
        ledger.pause("minute", paused=True)
        assert self.scheduler is not None
        self.scheduler.send_signal(signal.SIGTERM)
        self.scheduler.wait(120)
        return self.account(ledger, now, until)

    def account(self, ledger: Ledger, since: Any, until: Any) -> int:
        """Hold what has run against what was due."""
        given = [*times(ledger.entry("minute").schedule.trigger, since, until)]
        ticks = {tick.time: tick for tick in ledger.history("minute", -1)}
        skipped = ledger.skipped("minute", -1)
        told = [
            time for one in skipped
            for time in times(ledger.entry("minute").schedule.trigger, one.first - timedelta(seconds=1), one.last)
        ]  # fmt: skip
        missing = [moment for moment in given if moment not in ticks and moment not in told]
        states = Counter(str(tick.state) for tick in ticks.values())
        self.say(f"{len(given)} minutes: {dict(states)}, {len(told)} told as skipped, {len(missing)} not accounted for")
        self.say(f"attempts: {sum(t.attempts + t.interruptions for t in ticks.values())}")
        for tick in ticks.values():
            if tick.state is not TickState.DONE:
                self.say(f"  {tick.time:%H:%M} {tick.state} {tick.reason[:200]}")
        doctor = subprocess.run(
            [sys.executable, "-m", "p2p", "doctor"], cwd=self.root, env=self.environment, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        self.say(f"doctor: exit {doctor.returncode}: {(doctor.stdout + doctor.stderr).strip()[-500:]}")
        found = self._mlflow()
        self.say(f"MLflow: {found}")
        return len(missing)

    def _mlflow(self) -> dict[str, Any]:
        from mlflow import MlflowClient

        client = MlflowClient(self.uri)
        experiment = client.get_experiment_by_name("minute")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id], max_results=5000)
        finished = [run for run in runs if run.info.status == "FINISHED"]
        times_of = Counter(run.data.tags.get("p2p.logical_time") for run in finished)
        totals = Counter(run.data.metrics.get("total") for run in finished)
        return {
            "status": dict(Counter(run.info.status for run in runs)), "minutes finished": len(times_of),
            "twice": sum(count > 1 for count in times_of.values()), "totals": {str(k): v for k, v in totals.items()},
        }  # fmt: skip


def main() -> None:
    hour = Hour(Path(sys.argv[1]).resolve())
    try:
        code = hour.run(float(sys.argv[2]) if len(sys.argv) > 2 else 60)
    finally:
        for process in (hour.server, hour.scheduler):
            with suppress(Exception):
                assert process is not None
                os.killpg(process.pid, signal.SIGTERM)
        Path(str(hour.root) + "-told.json").write_text(json.dumps(hour.told, indent=1))
    sys.exit(code)


if __name__ == "__main__":
    main()
