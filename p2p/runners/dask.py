"""The Dask engine: the bodies of a pipeline's steps on the workers of a cluster, everything else in this process.

A step comes through `run_step` here as in the local runner, with policy, contracts and records; only the call of its
function is a Dask task. So each attempt is one task, its result is recorded once, and a worker that dies is a failed
attempt, which the policy may try again: Dask itself, which runs a task again when its worker dies, is kept from it.
"""

from __future__ import annotations

import importlib
import logging
import signal
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

from p2p.analysis import is_library_path
from p2p.cache import generators
from p2p.cache.views import dumped
from p2p.errors import InputRefused, WorkerLost
from p2p.execution import current_services
from p2p.execution.place import here
from p2p.execution.timeouts import OutOfTime
from p2p.pipeline import Task
from p2p.policy import Policy
from p2p.runners import worker
from p2p.runners.apart import Apart, refuse_hidden_changes
from p2p.tracking.ownrun import OwnRun

_GRACE = 2.0  # seconds that code on a worker has to stop when its time is over, before its worker is killed
_ANSWER = 10.0  # seconds in which a cluster answers what is asked of it
_GONE = 20.0  # seconds without a scheduler, or without any worker, after which an attempt has failed
OWN = "dask"
_WORKERS = 2
_BEGUN_BEFORE = b""


class DaskEngine:
    """Calls the functions of tasks on a cluster.

    Args:
        client: of `distributed`.
        own_run: the run that user code logs to.
        own: the cluster ends with this run.
    """

    def __init__(self, client: Any, own_run: OwnRun, *, own: bool) -> None:
        self._client = client
        self._own = own
        self._own_run = own_run
        self._alone_since = 0.0
        self._apart = Apart()

    def call(self, task: Task, values: Mapping[str, Any]) -> Any:
        """What the task's function gives, on a worker.

        Raises:
            WorkerLost: its worker, or the cluster, was lost.
            RunFailed: it changes an input that others see, too, and so would not see changed.
        """
        attempt = uuid.uuid4().hex
        try:
            answer = self._sent(task, values, attempt)
        except BaseException as error:
            goes_on = isinstance(error, OutOfTime | Exception)
            with _undisturbed():
                self._leave(attempt, goes_on=goes_on)
            raise
        for kind, data in answer.events:
            current_services().events.append(kind, **data)
        generators.put_back(answer.random)
        if answer.error is not None:
            raise answer.error
        refuse_hidden_changes(task, self._apart.sharing(answer.changed, values), answer)
        self._apart.follow(answer.groups, task.gives)
        return answer.result

    def _sent(self, task: Task, values: Mapping[str, Any], attempt: str) -> worker.Answer:
        import cloudpickle

        at = here()
        inputs = {name: values[name] for name in task.takes}
        request = worker.Request(
            task=replace(task, policy=Policy()), inputs=inputs, place=(at.id, at.key),
            run=current_services().run, random=generators.states(), own_run=_facts(self._own_run),
        )  # fmt: skip
        with _by_value(task.function):
            blob = dumped(request, inputs)
        answer: worker.Answer = cloudpickle.loads(self._result(blob, attempt, task.step))
        return answer

    def _result(self, blob: bytes, attempt: str, step: str) -> bytes:
        """What a worker gives.

        Another thread talks with the cluster: the signal that ends a step whose time is over raises in this one, and
        would do so within the code of `distributed`, which it leaves broken, or which swallows it.
        """
        left = threading.Event()
        talker = ThreadPoolExecutor(1, thread_name_prefix="p2p-dask")
        try:
            return talker.submit(self._asked, blob, attempt, step, left).result()
        finally:
            left.set()
            talker.shutdown(wait=False)

    def _asked(self, blob: bytes, attempt: str, step: str, left: threading.Event) -> bytes:
        distributed = _distributed()
        lost = (distributed.KilledWorker, distributed.CancelledError, distributed.comm.CommClosedError)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")  # it goes with the task, which any worker may get
            future = self._client.submit(_once, blob, attempt, key=f"{step}-{attempt}", pure=False)
        while True:
            try:
                found = bytes(future.result(timeout=0.5))
            except TimeoutError:
                if left.is_set():
                    return _BEGUN_BEFORE  # which nobody waits for
                self._see_that_somebody_is_there(step)
            except lost as error:
                raise WorkerLost(step, f"{type(error).__name__}: {error}") from None
            else:
                if found == _BEGUN_BEFORE:
                    raise WorkerLost(step, "its process ended")
                return found

    def _see_that_somebody_is_there(self, step: str) -> None:
        """Waiting for a cluster that is gone would be for ever."""
        connected = self._client.status == "running"
        if connected and self._client.scheduler_info(n_workers=-1)["workers"]:
            self._alone_since = 0.0
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > _GONE:
            who = "it has no worker left" if connected else "its scheduler does not answer"
            raise WorkerLost(step, f"{who} for {_GONE:.0f} s")

    def _leave(self, attempt: str, *, goes_on: bool) -> None:
        """End the attempt wherever it runs: code that goes on would do its work beside the next attempt.

        In less than the 5 s after which a run's sidecar would end this process for it.
        """
        if self._own and not goes_on:  # the workers end with this process, which is asked to end soon
            _within(1.5, lambda: self._client.run(worker.kill_worker, False, nanny=True))
            return
        stopped = _within(_GRACE + 1, lambda: self._client.run(worker.leave, attempt, _GRACE, on_error="return"))
        running = [address for address, done in (stopped or {}).items() if done is not True]
        if stopped is None:  # a worker that does not answer: which one is known only to those that do
            running = list(self._client.scheduler_info(n_workers=-1)["workers"])
        if running:
            _within(1.5, lambda: self._client.run(worker.kill_worker, True, workers=running, nanny=True))


def _once(blob: bytes, attempt: str) -> bytes:
    """`execute`, but not a second time: Dask gives the task of a worker that died to another one."""
    begun = _distributed().Event(f"p2p-{attempt}")
    if begun.is_set():
        return _BEGUN_BEFORE
    begun.set()
    return worker.execute(blob, attempt)


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """What `call` gives; None where it does not answer in time."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(call).result(timeout=seconds)
    except Exception as error:  # noqa: BLE001  # the cluster may be gone, which is why it is asked
        logging.getLogger("p2p.dask").info("%s: %s", type(error).__name__, error)
        return None
    finally:
        pool.shutdown(wait=False)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """In the block, the timer of a step whose time is over does not fire again."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    left, again = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, again)


def _facts(run: OwnRun) -> dict[str, Any]:
    names = ("run_id", "experiment", "tracking_uri", "directory")
    return {name: getattr(run, name) for name in names}


@contextmanager
def _by_value(function: Callable[..., Any]) -> Iterator[None]:
    """In the block, the user's package is sent itself, not by its name: workers need not have it."""
    import cloudpickle

    package = (getattr(function, "__module__", None) or "__main__").partition(".")[0]
    ours = [] if package in ("__main__", "p2p") else _modules_of(package)
    for module in ours:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in ours:
            cloudpickle.unregister_pickle_by_value(module)


def _modules_of(package: str) -> list[ModuleType]:
    """The loaded modules of a package that lies in the project, not among the installed ones."""
    found = [m for name, m in list(sys.modules.items()) if name.partition(".")[0] == package and m is not None]
    return [m for m in found if not is_library_path(getattr(m, "__file__", None) or "")]


@contextmanager
def cluster(engine: str) -> Iterator[Any]:
    """A client of the cluster that `engine` names: `dask` for one of its own on this machine, else an address.

    Raises:
        InputRefused: there is no such cluster, or its workers have other versions than this process.
    """
    distributed = _distributed()
    if engine == OWN:
        with (
            distributed.LocalCluster(
                n_workers=_WORKERS,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                security=True,
                host="127.0.0.1",
                silence_logs=logging.ERROR,
                preload=[worker.__name__],  # else the first attempt on a worker would spend its time on importing
            ) as local,
            distributed.Client(local) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(engine, timeout=_ANSWER)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputRefused(
            f"There is no Dask scheduler at '{engine}': {error}.", cure="Start one, or write --engine dask."
        ) from None
    with client:
        _check_workers(client, engine)
        yield client


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise InputRefused(
            "The Dask engine needs the package distributed.", cure="pip install 'p2p-toolkit[dask]'"
        ) from None


def _check_workers(client: Any, engine: str) -> None:
    found = _within(_ANSWER, lambda: client.run(worker.versions, on_error="return"))
    if not found:
        raise InputRefused(f"The Dask cluster at '{engine}' has no worker.", cure="Start one: dask worker ADDRESS")
    ours = worker.versions()
    for address, theirs in found.items():
        if isinstance(theirs, BaseException):
            raise InputRefused(
                f"The Dask worker at {address} cannot run p2p: {type(theirs).__name__}: {theirs}.",
                cure="Install the same environment there.",
            )
        other = [f"{name} {theirs.get(name)} (here {version})" for name, version in ours.items()
                 if theirs.get(name) != version]  # fmt: skip
        if other:
            raise InputRefused(
                f"The Dask worker at {address} has {', '.join(other)}.", cure="Install the same environment there."
            )
