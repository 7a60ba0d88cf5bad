"""What happens on a Dask worker: one attempt of one task, in its place in the run, and its end from outside.

The worker runs the step's body only. Policy, contracts, cache and records stay with the driver (see `dask`), so that a
step is tried and recorded as anywhere else, once, however often Dask begins its task. What the body itself tells (steps
inside it, what it logs to MLflow) goes back with its result.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import inspect
import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

from p2p.analysis import version_of
from p2p.cache.sharing import groups, held, in_and_out
from p2p.cache.views import dumped
from p2p.cache.watching import Touched, look_away_from, own_paths, watched
from p2p.errors import RunFailed
from p2p.execution import Services, Tally, by_step, generators, use_services
from p2p.execution.place import Place
from p2p.execution.timeouts import OutOfTime
from p2p.pipeline import Task
from p2p.runners import moving
from p2p.runners.calling import called, mapped
from p2p.runners.surroundings import put_back
from p2p.store import content_digest, identify
from p2p.tracking import guard
from p2p.tracking.ownrun import OwnRun
from p2p.tracking.processes import Descendants

GRACE = 2.0  # seconds that code on a worker has to stop when its time is over, before its worker is killed
_lock = threading.Lock()
_running: dict[str, int] = {}  # the thread that an attempt runs in
_left: set[str] = set()  # attempts that must not begin any more, or beginnings of their names
_as_it_was = ExitStack()  # puts the process back to what it was before the attempts that are at work
# Threads of Dask's, in a worker and in a client. A worker's event loop is in the main one.
DASKS = ("IO loop", "Dask-", "Profile", "AsyncProcess", "TCP-Executor")
# Told late, and from another machine, they would make the driver's sidecar stop a process that is not meant.
_LIMITS = ("attempt_started", "attempt_finished")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One attempt of a task, as it is sent.

    Attributes:
        task: the task. Its policy stays with the driver, but for what it says of files, and unless it is that of each
            item of a mapped task.
        inputs: what it takes, by the names that values have in the run.
        place: id and idempotency key of this execution of the step.
        run: key of the run, from which the keys of steps inside this one are made.
        random: states of the global random generators.
        own_run: facts of the run that user code logs to.
        watched: somebody wants to know how far it is.
    """

    task: Task
    inputs: Mapping[str, Any]
    place: tuple[str, str]
    run: str
    random: generators.States
    own_run: Mapping[str, Any]
    watched: bool = False


@dataclass
class Answer:
    """What became of an attempt.

    Attributes:
        result: what the task gives, by name.
        error: what it raised; None where it did not.
        events: what it told, in order: kind and data.
        random: states of the global random generators afterwards.
        changed: inputs that were changed in place, as they are now, by name.
        groups: names of inputs (`in x`) and of what is given (`out y`) that share an object or memory on the worker.
        tally: of a mapped task, what became of its items.
        touched: what it touched besides its inputs, as far as that was seen.
    """

    result: Mapping[str, Any] = field(default_factory=dict)
    error: BaseException | None = None
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    random: generators.States = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)
    groups: list[tuple[str, ...]] = field(default_factory=list)
    tally: Tally | None = None
    touched: list[str] = field(default_factory=list)


class Told:
    """The events of one attempt, until they are sent back."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def append(self, kind: str, **data: Any) -> None:
        if kind not in _LIMITS:
            self.events.append((kind, {"at": time.time_ns(), **data}))


def execute(blob: bytes, attempt: str, send: moving.Send) -> bytes:
    """Run one attempt; gives its `Answer`, pickled. Nothing that it does raises here.

    Args:
        blob: its `Request`, pickled.
        attempt: its name.
        send: sends to the driver how far it is, while it runs.
    """
    import cloudpickle

    if not begin(attempt):
        return dumped(Answer(error=RunFailed("The attempt was given up before it began.")))
    try:
        answer = _answer(cloudpickle.loads(blob), attempt, send)
    except BaseException as error:  # noqa: BLE001  # it belongs to the step, not to the worker
        answer = Answer(error=error)
    finally:
        ended(attempt)
    return _dumped(answer)


def begin(attempt: str) -> bool:
    """Whether an attempt may begin, in this thread: the driver may have given it up."""
    with _lock:
        if attempt.startswith((*_left,)):
            return False
        if not _running:
            _as_it_was.enter_context(put_back())
        _running[attempt] = threading.get_ident()
        return True


def ended(attempt: str) -> None:
    """An attempt that has begun does not run any more."""
    with _lock:
        _running.pop(attempt, None)
        if not _running:
            _as_it_was.close()


def seeing(own_run: Mapping[str, Any], files: Sequence[str]) -> AbstractContextManager[Touched]:
    """In the block, which runs a step's code in this thread, what that touches is noted."""
    look_away_from(["MainThread", *DASKS])
    return watched(files, own_paths(own_run["directory"]))


def _answer(request: Request, attempt: str, send: moving.Send) -> Answer:
    told = Told()
    digests = {name: content_digest(value) for name, value in request.inputs.items()}
    generators.put_back(request.random)
    answer = Answer(events=told.events, tally=Tally(request.task.step) if request.task.over else None)
    guard.attach(OwnRun(**request.own_run, append=by_step(told.append)))
    with seeing(request.own_run, request.task.policy.paths) as touched:
        try:
            place = Place(request.task.step, *request.place)
            with (
                moving.heard(send if request.watched else None, attempt, place.name, place.id) as moments,
                use_services(Services(events=told, run=request.run, moments=moments)),
                place.entered(),
            ):
                answer.result = _called(request, answer.tally)
        except BaseException as error:  # noqa: BLE001  # `sys.exit` in a step is the step's error
            answer.error = plain(error, request.task.step)
        finally:
            guard.detach()
    answer.touched = [*touched.seen]
    answer.random = generators.states()
    if answer.error is None:
        answer.groups = groups(held(in_and_out(request.inputs, answer.result)))
    answer.changed = {n: v for n, v in request.inputs.items() if content_digest(v) != digests[n]}
    return answer


def _called(request: Request, tally: Tally | None) -> Any:
    if tally is not None:
        return mapped(request.task, request.inputs, tally)
    result = called(request.task, request.inputs)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


def plain(error: BaseException, step: str) -> BaseException:
    """The error with its traceback as a note, which is what is left of it elsewhere."""
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    error.add_note(f"Step '{step}' ran on a worker, where it went so:\n{lines[-4000:]}")
    return error


def _dumped(answer: Answer) -> bytes:
    """The answer as bytes; where its result or error cannot be sent, it says that."""
    try:
        return dumped(answer, {**answer.result, **{f"in {name}": value for name, value in answer.changed.items()}})
    except Exception:  # noqa: BLE001  # pickling runs the user's code
        values, what = list(answer.result.values()), "gives a value"
        if answer.error is not None:
            values, what = [answer.error], "raises an error"
        refused = next((found for value in values if (found := unsent(value, what))), None) or _unsendable(what, "")
        return dumped(Answer(error=refused, events=answer.events, random=answer.random))


def unsent(value: Any, what: str) -> RunFailed | None:
    """What keeps a value from being sent to the driver; None where nothing does."""
    try:
        dumped(value)
    except Exception as error:  # noqa: BLE001  # pickling runs the user's code
        return _unsendable(what, identify(value).reason or str(error))
    return None


def _unsendable(what: str, reason: str) -> RunFailed:
    return RunFailed(
        f"The step {what} that a worker cannot send back: {reason}",
        cure="Give plain data, or run the pipeline with --engine local.",
    )


def nowhere(kind: str, **data: Any) -> None:
    """Forget an event."""


async def leave(attempts: Sequence[str], grace: float) -> bool:
    """Stop attempts, or keep them from beginning; gives whether none runs on this worker any more after `grace` s.

    Args:
        attempts: their names, or beginnings of these.
        grace: seconds.
    """

    def at_work() -> list[int]:
        return [thread for attempt, thread in [*_running.items()] if attempt.startswith((*attempts,))]

    with _lock:
        _left.update(attempts)
        for thread in at_work():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OutOfTime))
    waited = 0.0
    while waited < grace and at_work():
        await asyncio.sleep(0.05)
        waited += 0.05
    return not at_work()


def kill_worker(again: bool, dask_worker: Any) -> None:
    """Kill the worker of this nanny, and what it has started; with `again` the nanny starts another one."""
    if not again:
        dask_worker.close_gracefully()
    if dask_worker.pid:
        started = Descendants.of(dask_worker.pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(dask_worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        started.kill()


def versions(modules: Sequence[str] = ()) -> dict[str, str | None]:
    """What must be the same here and on the driver: versions, also of what these modules belong to; None for no module.

    A module that belongs to no installed distribution has the version "".
    """
    import platform
    from importlib import metadata

    names = ("p2p-toolkit", "cloudpickle", "distributed")
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{n: metadata.version(n) for n in names},
        **{f"module {n}": _version(n) for n in modules},
    }


def _version(module: str) -> str | None:
    from importlib import util

    if util.find_spec(module) is None:
        return None
    return version_of(module)
