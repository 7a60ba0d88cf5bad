"""What p2p does with a frame that a step has read: its digest, its event, and MLflow told. `dataset_p2p KIND ROWS`.

The run keeps its values in memory, so what is written is the event alone. `caller` is what the step waits for; `feeder`
is the call of MLflow, which a process beside the run makes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.speed.work.frames import KINDS
from benchmarks.speed.work.timing import expect, report, timed
from p2p.execution import Services, Work, run_step
from p2p.settings import Settings, load_settings
from p2p.store import MemoryStore
from p2p.tracking import mlstore
from p2p.tracking.feeder import Feeder
from p2p.tracking.journal import NAME, Journal, Tail


def measure(kind: str, rows: int, settings: Settings) -> dict[str, float]:
    journal = Journal(settings.runs / "run")
    services = Services(events=journal, values=MemoryStore())
    client = mlstore.connect(settings)
    run = client.create_run(mlstore.experiment_id(client, settings, "dataset"))
    feeder = Feeder(client, run.info.run_id, settings.runs / "run")
    figures = {}
    for size, name in ((10, "small"), (rows, "frame")):  # the small one loads what has to be loaded
        frame = KINDS[kind](size)
        work = Work(name=name, body=lambda frame=frame, name=name: {name: frame})
        caller, _ = timed(lambda work=work: run_step(work, services))
        event = [event for event in Tail(settings.runs / "run" / NAME).read() if event["kind"] == "dataset"][-1]
        feeding, _ = timed(lambda event=event: (feeder.take(event), feeder.send()))
        figures = {**caller.told("caller"), **feeding.told("feeder"), **(caller + feeding).told("whole")}
    logged = client.get_run(run.info.run_id).inputs.dataset_inputs
    expect(({found.dataset.name for found in logged}, feeder.refused), ({"small", "frame"}, []))
    return figures


if __name__ == "__main__":
    report(**measure(sys.argv[1], int(sys.argv[2]), load_settings(Path.cwd())))
