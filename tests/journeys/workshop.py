"""A project in a temporary directory, the commands that are given in it, and what they left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.notebook import read_notebook
from p2p.settings import Settings
from p2p.tracking import RunRecord, past_runs
from tests.building import write_notebook

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """The one JSON document that stdout must be."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Workshop:
    """A project and its commands, each run as a person would: in a process of its own."""

    settings: Settings
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.settings.root

    @property
    def env(self) -> dict[str, str]:
        """Where the project is; no index is asked for hashes, and the file that is tested here is the one imported."""
        ours = {
            "P2P_ROOT": str(self.root), "MLFLOW_TRACKING_URI": self.settings.tracking_uri, "UV_OFFLINE": "1",
            "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1",
        }  # fmt: skip
        # ipykernel looks for this one, and then takes no output of child processes in.
        around = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        return {**around, **ours, **self.environment}

    def python(self, *arguments: str, path: str = "") -> Done:
        """Run Python in the project; `path` goes before the repository on its import path."""
        env = self.env
        if path:
            env["PYTHONPATH"] = os.pathsep.join([path, env["PYTHONPATH"]])
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=env, capture_output=True, text=True, check=False,
            timeout=540, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def p2p(self, *arguments: str) -> Done:
        return self.python("-m", "p2p", *arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `p2p` and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "p2p", *arguments], cwd=self.root, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def write(self, name: str, *cells: str, params: str = "") -> Path:
        """A notebook in `notebooks/`."""
        return write_notebook(self.root / "notebooks" / f"{name}.ipynb", *cells, params=params)

    def records(self, **facts: Any) -> list[RunRecord]:
        """The runs of the project, the newest first."""
        return list(past_runs(self.settings.runs, **facts))

    def runs_of(self, path: Path, kind: str) -> list[RunRecord]:
        """The runs of this very notebook."""
        return self.records(run_kind=kind, notebook_digest=read_notebook(path).digest)

    @property
    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(self.settings.tracking_uri)

    def mlflow_run(self, run_id: str) -> Any:
        return self.client.get_run(run_id)

    def spans(self, run_id: str) -> list[tuple[str, str]]:
        """The spans of a run's trace as (name, name of the span around it), without the root, in order."""
        experiment = self.mlflow_run(run_id).info.experiment_id
        traces = self.client.search_traces(locations=[experiment], run_id=run_id)
        assert len(traces) == 1
        spans = traces[0].data.spans
        root = next(span for span in spans if span.parent_id is None)
        names = {span.span_id: "" if span is root else span.name for span in spans}
        ordered = sorted(spans, key=lambda span: span.start_time_ns)
        return [(span.name, names[span.parent_id]) for span in ordered if span is not root]


def digests(record: RunRecord) -> dict[str, dict[str, str | None]]:
    """By step, in order, and output: the digest of its value."""
    return {s.name: {name: ref.digest for name, ref in s.outputs.items()} for s in record.steps}
