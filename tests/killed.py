"""Trials of `tests.killpoints`, made in several projects at once, and what `p2p doctor` and MLflow say afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.settings import Settings
from p2p.tracking.records import past_runs

_REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass
class Killed:
    """What came of the trials.

    Attributes:
        operations: how many operations a run does.
        trials: a `killpoints.Seen` each.
        sent, running: runs that MLflow knows, and those of them that are RUNNING.
        wrong: everything that must not be.
    """

    operations: int = 0
    trials: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0
    running: int = 0
    wrong: list[str] = field(default_factory=list)


def make_trials(projects: Sequence[Settings], *, seed: int, trials: int) -> Killed:
    """Make trials, in as many processes at once as there are projects."""
    share = -(-trials // len(projects))
    started = [_start(settings, seed, i * share, min(share, trials - i * share)) for i, settings in enumerate(projects)]
    done = Killed()
    for process in started:
        out, err = process.communicate()
        if process.returncode != 0:
            done.wrong.append(f"the trials ended with {process.returncode}: {err[-2000:]}")
            continue
        answer = json.loads(out)
        done.operations = answer["operations"]
        done.trials += answer["trials"]
    done.wrong += [f"trial {t['number']} ({t['at']}): {text}" for t in done.trials for text in t["wrong"]]
    for settings in projects:
        _look_after(settings, done)
    return done


def _start(settings: Settings, seed: int, first: int, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.killpoints", str(settings.root), str(seed), str(first), str(count)],
        env=_environment(settings), cwd=settings.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "P2P_ROOT": str(settings.root), "MLFLOW_TRACKING_URI": settings.tracking_uri,
            "PYTHONPATH": str(_REPOSITORY)}  # fmt: skip


def _look_after(settings: Settings, done: Killed) -> None:
    """Let `p2p doctor` do its work, then compare what MLflow has with the journals."""
    done.wrong += doctor(settings)
    known = mlflow_runs(settings)
    done.sent += len(known)
    done.running += sum(status == "RUNNING" for _, status in known)
    done.wrong += untold(settings, known)


def doctor(settings: Settings) -> list[str]:
    """Let `p2p doctor` end what died and send what is unsent, once; gives what it complained of."""
    told = subprocess.run(
        [sys.executable, "-m", "p2p", "doctor", "--json"], env=_environment(settings), cwd=settings.root,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [] if told.returncode == 0 else [f"p2p doctor: {told.stdout}{told.stderr}"]


def mlflow_runs(settings: Settings) -> list[tuple[str, str]]:
    """Of each MLflow run: the key of our run, and its status."""
    return _ask(settings, "select t.value, r.status from runs r join tags t on t.run_uuid = r.run_uuid "
                          "where t.key = 'p2p.run'")  # fmt: skip


def untold(settings: Settings, known: list[tuple[str, str]]) -> Iterator[str]:
    """How MLflow's runs differ from the journals."""
    records = {record.key: record for record in past_runs(settings.runs)}
    keys = [key for key, _ in known]
    yield from (f"{key} is {keys.count(key)} runs in MLflow" for key in sorted({*keys}) if keys.count(key) != 1)
    yield from (f"{key} is not in MLflow" for key in records if key not in keys)
    yield from (f"{key} is {status} in MLflow and {records[key].status}" for key, status in known
                if key not in records or status != records[key].status)  # fmt: skip
    yield from (f"{record.key} is RUNNING" for record in records.values() if record.status == "RUNNING")
    yield from (f"the lease {path.name} is left" for path in settings.open_runs.glob("*.json"))
    yield from (f"metric {key} of {run} was sent {count} times" for run, key, count in _ask(
        settings, "select run_uuid, key, count(*) from metrics group by 1, 2 having count(*) > 1"))  # fmt: skip
    yield from (f"run {run} has {count} traces" for run, count in _ask(
        settings, "select value, count(*) from trace_request_metadata where key = 'mlflow.sourceRun' "
                  "group by 1 having count(*) > 1"))  # fmt: skip


def _ask(settings: Settings, question: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(settings.mlruns / "mlflow.db")) as database:
        return database.execute(question).fetchall()
