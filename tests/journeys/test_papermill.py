"""papermill by itself, with p2p as its engine."""

from __future__ import annotations

import json

from p2p.model import RunStatus
from tests.journeys.workshop import Workshop


def test_papermill_s_own_command_makes_a_tracked_run(workshop: Workshop) -> None:
    path = workshop.write("plain", "%%step load\nrows = [month] * 2", params="month: int = 1")
    out = workshop.root / "out.ipynb"

    done = workshop.python("-m", "papermill", "--engine", "p2p", str(path), str(out), "-p", "month", "7")

    assert done.code == 0, done.err
    assert json.loads(out.read_text(encoding="utf-8"))["metadata"]["papermill"]["exception"] is None
    record = workshop.records(run_kind="notebook")[0]
    assert [(s.name, list(s.outputs)) for s in record.steps] == [("load", ["rows"])]
    run = workshop.mlflow_run(record.run_id)
    assert run.info.status == RunStatus.FINISHED
    assert run.data.params == {"month": "7"}
