"""A pipeline run again and again in one process, for a driver in another: the module is imported once.

The driver opens and ends each run; the process only writes to it, as a notebook's kernel does. It reads a JSON request
a line on stdin (the run's attachment and the parameters) and answers with a line: what the run's error was. Values that
a step leaves in a module's globals are there for the next run; random generators, environment and working directory are
as new.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from p2p.cache import Reuse, check_target
from p2p.errors import RunFailed
from p2p.execution import generators, use_services
from p2p.model import RunStatus
from p2p.outcome import RunOutcome, outcome_of
from p2p.params import ParameterSet
from p2p.pipeline import Pipeline
from p2p.runners.local import Engine, Here, StepFailed, facts_of, run_tasks
from p2p.runners.shared import Share, engine_of
from p2p.runners.surroundings import no_windows, put_back
from p2p.runners.worker import nowhere
from p2p.secrets import Masker, environment_secrets
from p2p.session import AttachedSession, Attachment
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.tracking import Driver
from p2p.tracking.driver import PartOf
from p2p.tracking.ownrun import OwnRun
from p2p.tracking.processes import Descendants
from p2p.tracking.records import failed_step, read_record, why_killed

_SOON = 0.5  # seconds


class PipelineProcess:
    """A process that has imported a pipeline and runs it.

    Args:
        pipeline: the version.
        settings: the project's.
        log: what steps print goes to this process's stderr; else nowhere.
        share: the part of a cluster that calls the steps' functions; the process does itself, where none is given.
    """

    def __init__(self, pipeline: Pipeline, settings: Settings, *, log: bool, share: Share | None = None) -> None:
        self.share = share
        module = f"pipelines.{pipeline.name}.v{pipeline.version}.pipeline"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "p2p.runners.repeated", module, str(settings.root)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=None if log else subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        self._killed = False
        self._asking = threading.Lock()

    @property
    def alive(self) -> bool:
        return not self._killed and self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request.

        Raises:
            RunFailed: the process died.
            KeyboardInterrupt: it was killed by this one.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        asked = json.dumps({**request, "share": asdict(self.share) if self.share is not None else None})
        with self._asking, contextlib.suppress(OSError, ValueError):  # the second, where it was killed before
            self._process.stdin.write(asked + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if self._killed:
            raise KeyboardInterrupt
        if not line:
            self._process.kill()  # its pipe closes a moment before it is seen to be dead
            self._process.wait()
            raise RunFailed("the process of the pipeline died")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        """End it, and what it has started."""
        self._killed = True
        started = Descendants.of(self._process.pid)
        self._process.kill()
        started.kill()
        self._process.wait()
        if self._asking.acquire(timeout=_SOON):  # whoever asks reads the end now
            for pipe in filter(None, (self._process.stdin, self._process.stdout)):
                with contextlib.suppress(OSError):  # what it was about to be told is lost with it
                    pipe.close()
            self._asking.release()


def run_in_process(
    process: PipelineProcess, pipeline: Pipeline, given: Mapping[str, Any], text: Mapping[str, str],
    settings: Settings, *, part_of: PartOf, reuse: Reuse, notebook_digest: str = "",
) -> RunOutcome:  # fmt: skip
    """Run a pipeline there as one tracked run of this process's.

    Args:
        process: where.
        pipeline: the version that the process has imported.
        given: parameters as plain values.
        text: parameters as the command line gives them.
        settings: the project's.
        part_of: the whole that the run is a part of.
        reuse: earlier results that it may use.
        notebook_digest: of the notebook that the pipeline was exported from.

    Raises:
        KeyboardInterrupt: passed on after the run was ended as KILLED.
    """
    began = time.monotonic()
    check_target(reuse, "module", pipeline.name)
    values = ParameterSet.of(pipeline.params).parse(given, text=text)
    masker = Masker([*values.secret_texts(), *environment_secrets(os.environ)])
    facts = facts_of(pipeline, values, part_of.around, notebook_digest, {}, reuse)
    driver = Driver(settings, facts, mask=masker.event, part_of=part_of)
    driver.open()
    try:
        if process.share is not None:  # a worker elsewhere cannot see in the journal when MLflow knows the run
            driver.connect()
        # Through a pipe, where nobody else can read it; it is written nowhere.
        secrets = sorted(values.secret_texts())
        request = {
            "attachment": _attachment(driver, reuse, turns=part_of.side_by_side),
            "given": given,
            "text": text,
            "masked": secrets,
        }
        error = _asked(process, request, driver)
    except BaseException as stopped:
        where = failed_step(driver.directory)
        driver.end(RunStatus.KILLED, error=f"{type(stopped).__name__}: {stopped}", failed_step=where)
        raise
    if error:
        driver.end(RunStatus.FAILED, error=error[:2000], failed_step=failed_step(driver.directory))
    else:
        driver.end(RunStatus.FINISHED)
    record = read_record(driver.directory)
    target = f"{pipeline.name}@{pipeline.version}"
    outcome = outcome_of(record, DiskStore(settings.values), target=target, seconds=time.monotonic() - began)
    return replace(outcome, outputs=masker.data(outcome.outputs))


def _asked(process: PipelineProcess, request: dict[str, Any], driver: Driver) -> str:
    """What went wrong there; empty where nothing did."""
    try:
        return str(process.ask(request)["error"])
    except RunFailed as error:
        return why_killed(driver.directory) or error.message


def _attachment(driver: Driver, reuse: Reuse, *, turns: bool) -> dict[str, Any]:
    return asdict(Attachment(
        directory=str(driver.directory), run_id=driver.run_id, experiment=driver.experiment,
        tracking_uri=driver.settings.tracking_uri, root=str(driver.settings.root),
        lease=str(driver.settings.lease(driver.key)), notebook="", resumes=reuse.directory,
        first_run=reuse.first_run, cache=reuse.cache, turns=turns,
    ))  # fmt: skip


def main() -> None:
    """`python -m p2p.runners.repeated MODULE ROOT`: answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what steps print, and what they start, is not part of the answers
    sys.path.insert(0, sys.argv[2])
    with no_windows():
        pipeline = importlib.import_module(sys.argv[1]).pipeline
        for line in sys.stdin:
            with _as_new():
                error = _error_of(pipeline, json.loads(line))
            answers.write(json.dumps({"error": error}) + "\n")
            answers.flush()


def _error_of(pipeline: Pipeline, request: dict[str, Any]) -> str:
    """What one run raised; empty where it raised nothing."""
    masker = Masker([*request["masked"], *environment_secrets(os.environ)])
    session = AttachedSession(Attachment(**request["attachment"]), masker=masker)
    services = replace(session.services(), keep_figures=False)
    try:
        values = ParameterSet.of(pipeline.params).parse(request["given"], text=request["text"])
        with use_services(services):
            run_tasks(pipeline, values.typed, services, _engine(request))
    except StepFailed as failed:
        return failed.message
    except BaseException as error:  # noqa: BLE001  # an interrupt is what stops a step whose time is over
        return f"{type(error).__name__}: {error}"
    finally:
        session.end()
        session.journal.close()
    return ""


def _engine(request: dict[str, Any]) -> Engine:
    """Where the run's steps are called."""
    if request["share"] is None:
        return Here()
    at = Attachment(**request["attachment"])
    own_run = OwnRun(at.run_id, at.experiment, at.tracking_uri, Path(at.directory), nowhere)
    return engine_of(Share(**request["share"]), own_run)


@contextlib.contextmanager
def _as_new() -> Iterator[None]:
    """In the block, the process is to a run as a new one would be; afterwards it is so again."""
    generators.seed(random.SystemRandom().getrandbits(32))
    with put_back():
        yield


if __name__ == "__main__":
    main()
