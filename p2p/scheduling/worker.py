"""A process beside the scheduler that runs ticks, one after the other: `python -m p2p.scheduling.worker ROOT`.

It reads a line of JSON for each on stdin, and answers with lines: that the run has opened, and how it ended. What a run
does to a process is done here, and not to the scheduler; kernels are forked from processes that have imported what
notebooks need, and live as long as this one. An interrupt ends the run at work as KILLED; so does the end of stdin, as
the scheduler is gone then.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from p2p.cache import Reuse, going_on_with
from p2p.errors import InputRefused, P2PError
from p2p.export.targets import is_notebook, load_pipeline
from p2p.kernels import WarmKernels
from p2p.model import RunStatus
from p2p.notebook import RunOptions, run_notebook
from p2p.outcome import RunOutcome
from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.scheduling.model import Tick
from p2p.scheduling.runs import last_run, tags_of
from p2p.settings import Settings, load_settings


@dataclass(frozen=True)
class Asked:
    """What is to be run.

    Attributes:
        tick: the tick, as its scheduler began it.
        target: as of its schedule.
        text: its parameters.
    """

    tick: Tick
    target: str
    text: Mapping[str, str]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Asked:
        """From what `as_dict` gave."""
        began = datetime.fromisoformat(data["began"]) if data["began"] else None
        tick = Tick(
            id=data["tick"], schedule=data["schedule"], time=datetime.fromisoformat(data["time"]), run=data["run"],
            began=began,
        )  # fmt: skip
        return cls(tick, data["target"], data["text"])

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        tick = self.tick
        began = tick.began.isoformat() if tick.began is not None else ""
        return {
            "tick": tick.id, "schedule": tick.schedule, "time": tick.time.isoformat(), "run": tick.run, "began": began,
            "target": self.target, "text": dict(self.text),
        }  # fmt: skip


class Worker:
    """Runs what it is asked to.

    Args:
        settings: the project's.
        answers: the stream for the answers.
    """

    def __init__(self, settings: Settings, answers: IO[str]) -> None:
        self._settings = settings
        self._answers = answers
        self._kernels = WarmKernels(ahead=True)

    def run(self, asked: Asked) -> None:
        """Run a tick, and tell how it went."""
        ended, error, step = None, "", ""
        try:
            outcome = self._outcome(asked)
            ended, error, step = outcome.status.value, outcome.error, outcome.failed_step
        except KeyboardInterrupt:
            ended, error = RunStatus.KILLED.value, "interrupted"
        except InputRefused as refused:
            error = str(refused)
        except Exception as other:  # noqa: BLE001  # whatever it is: the attempt has failed, and the next may run
            ended = RunStatus.FAILED.value
            error = str(other) if isinstance(other, P2PError) else f"{type(other).__name__}: {other}"
        self._tell_run(asked)
        self._say(tick=asked.tick.id, ended=ended, error=error[:2000], step=step, last=is_once(asked))

    def close(self) -> None:
        """End what kernels are forked from."""
        self._kernels.close()

    def _outcome(self, asked: Asked) -> RunOutcome:
        tags, reuse = tags_of(asked.tick), self._reuse(asked)

        def watch(event: Mapping[str, Any]) -> None:
            if event["kind"] == "mlflow_run":
                self._tell_run(asked)

        if is_notebook(asked.target):
            options = RunOptions(tags=tags, reuse=reuse, kernels=self._kernels)
            path = self._settings.root / asked.target
            return run_notebook(path, self._settings, text=asked.text, options=options, watch=watch)
        pipeline = load_pipeline(asked.target, self._settings)
        values = ParameterSet.of(pipeline.params).parse({}, text=dict(asked.text))
        return run_pipeline(pipeline, values, self._settings, tags=tags, reuse=reuse, watch=watch)

    def _tell_run(self, asked: Asked) -> None:
        """Tell which run was opened; nothing where none was."""
        found = last_run(self._settings, asked.tick)
        if found is not None:
            self._say(tick=asked.tick.id, opened=found.key, run_id=found.run_id)

    def _reuse(self, asked: Asked) -> Reuse:
        """The results of the attempt before, where there was one that can be gone on with."""
        if asked.tick.run:
            with contextlib.suppress(P2PError):  # it has finished, was pruned, or was of another target: anew
                return going_on_with(self._settings, asked.tick.run)
        return Reuse()

    def _say(self, **answer: Any) -> None:
        with contextlib.suppress(OSError, ValueError):  # the scheduler is gone, and stdin says so too
            self._answers.write(json.dumps(answer) + "\n")
            self._answers.flush()


class Requests:
    """What comes on stdin, read in a thread; its end interrupts what is at work."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._at_work = threading.Event()
        threading.Thread(target=self._read, name="p2p-requests", daemon=True).start()

    def next(self) -> Asked | None:
        """The next one; None when no more will come."""
        line = self._lines.get()
        return None if line is None else Asked.from_dict(json.loads(line))

    @contextlib.contextmanager
    def at_work(self) -> Any:
        """In the block, a run is at work."""
        self._at_work.set()
        try:
            yield
        finally:
            self._at_work.clear()

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        self._lines.put(None)
        if self._at_work.is_set():
            os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    """Run ticks until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a pipeline's steps print is no answer
    signal.signal(signal.SIGINT, signal.default_int_handler)
    requests = Requests()
    worker = Worker(load_settings(Path(sys.argv[1])), answers)
    try:
        while (asked := _next(requests)) is not None:
            with requests.at_work():
                worker.run(asked)
            if is_once(asked):
                break
    finally:
        worker.close()


def is_once(asked: Asked) -> bool:
    """Whether a process runs nothing after this: it has imported the pipeline and run its steps in itself."""
    return not is_notebook(asked.target)


def _next(requests: Requests) -> Asked | None:
    """The next request; an interrupt that comes when nothing is at work is for nothing."""
    while True:
        try:
            return requests.next()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    main()
