"""A Dask cluster as p2p uses it: found or made, its workers checked before any work, asked with a limit on each wait.

It runs what it is given, and knows nothing of steps. Whoever waits for a cluster that is gone would wait for ever, so
nobody does.
"""

from __future__ import annotations

import gc
import importlib
import logging
import random
import time
import uuid
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from p2p.errors import InputRefused, WorkerLost
from p2p.runners import chunk, worker

_GRACE = worker.GRACE
_ANSWER = 10.0  # seconds in which a cluster answers what is asked of it
_SOON = 2.0  # seconds in which one that is there tells what became of a task
_GONE = 20.0  # seconds without a scheduler, or without any worker, after which an attempt has failed
OWN = "dask"
_WORKERS = 2
BEGUN_BEFORE = b""
_FAR = "p2p-far"  # a topic of Dask's, of which a scheduler keeps the last few messages; each driver takes its own
_DRAWING = ("dask.sizeof", "distributed.comm.core", "distributed.protocol.compression", "distributed.utils_comm")
_OF_DASK = random.Random()
_KEYS = ("require_encryption", "tls_ca_file", "tls_client_cert", "tls_client_key")


class Cluster:
    """The cluster behind a client.

    Args:
        client: of `distributed`.
        own: it ends with this run.
        part: what the names of attempts begin with that are made through it.
    """

    def __init__(self, client: Any, *, own: bool, part: str = "") -> None:
        self.client = client
        self._own = own
        self._part = part
        self._alone_since = 0.0
        self._threads = (0.0, 1)  # when they were counted, and how many there were

    def threads(self) -> int:
        """How many tasks its workers do at once; 1 or more."""
        counted, found = self._threads
        if time.monotonic() - counted > 1:
            workers = within(_SOON, self.workers) or {}
            found = sum(w["nthreads"] for w in workers.values()) or found
            self._threads = (time.monotonic(), found)
        return found

    def new_attempt(self) -> str:
        """A name that no other attempt has."""
        return self._part + uuid.uuid4().hex

    def submit(self, call: Callable[..., Any], *args: Any, key: str) -> Any:
        """The future of a call on a worker; not the one of an equal call."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")  # it goes with the task, which any worker may get
            return self.client.submit(call, *args, key=key, pure=False)

    def hear(self, take: Callable[[Mapping[str, Any]], None]) -> None:
        """From now on, `take` is told what `teller` sends, in a thread of the client's; also to other drivers."""
        self.client.subscribe_topic(_FAR, lambda event: take(event[1]))

    def see_that_somebody_is_there(self, step: str) -> None:
        """Waiting for a cluster that is gone would be for ever."""
        connected = self.client.status == "running"
        if connected and within(_SOON, self.workers):
            self._alone_since = 0.0
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > _GONE:
            who = "it has no worker left" if connected else "its scheduler does not answer"
            raise WorkerLost(step, f"{who} for {_GONE:.0f} s")

    def workers(self) -> dict[str, Any]:
        """What is known of the workers, by address."""
        found: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        return found

    def leave(self, attempts: Collection[str], *, goes_on: bool, grace: float = _GRACE) -> None:
        """End attempts wherever they run: code that goes on would do its work beside the next one.

        In less than the 5 s after which a run's sidecar would end this process for it.

        Args:
            attempts: their names, or beginnings of these.
            goes_on: others come after them.
            grace: seconds that they have to end by themselves.
        """
        if self._own and not goes_on:  # the workers end with this process, which is asked to end soon
            within(1.5, lambda: self.client.run(worker.kill_worker, False, nanny=True))
            return
        asked = [*attempts]
        theirs = self._at(asked)
        stopped = within(grace + 1, lambda: self.client.run(worker.leave, asked, grace, on_error="return"))
        running = [address for address, done in (stopped or {}).items() if done is not True]
        if stopped is None:  # a worker does not answer; where the scheduler does not know which, it may be any
            running = theirs or within(_SOON, lambda: list(self.workers())) or []
        if running:
            within(1.5, lambda: self.client.run(worker.kill_worker, True, workers=running, nanny=True))

    def _at(self, attempts: Sequence[str]) -> list[str]:
        """The workers that have tasks of these attempts, as far as the scheduler knows."""
        found = within(0.5, self.client.processing) or {}
        return [at for at, keys in found.items() if any(attempt in str(key) for key in keys for attempt in attempts)]


def begins(attempt: str) -> bool:
    """Whether a task of Dask's begins for the first time."""
    begun = _distributed().Event(f"p2p-{attempt}")
    if begun.is_set():
        return False
    begun.set()
    return True


def ends(attempt: str) -> None:
    """On a worker: a task of Dask's has done its work, of which the result may still be lost."""
    _distributed().Event(f"p2p-done-{attempt}").set()


def has_begun(client: Any, attempt: str) -> bool:
    """In the driver: whether a task that is lost had begun; else it only waited where another one ended the worker."""
    event = _distributed().Event(f"p2p-{attempt}", client=client)
    return within(_SOON, event.is_set) is not False


def has_ended(client: Any, attempt: str) -> bool:
    """In the driver: whether a task whose result is lost had done its work."""
    event = _distributed().Event(f"p2p-done-{attempt}", client=client)
    return bool(within(_SOON, event.is_set))


def teller() -> Callable[[dict[str, Any]], None]:
    """On a worker: what tells the drivers something that nobody waits for; it needs no folder that both see."""
    here = _distributed().get_worker()
    return lambda message: here.log_event(_FAR, message)


def late_teller(attempt: str) -> Callable[[int], None]:
    """On a worker: what tells the driver which item of this task of Dask's does not stop when its time is over."""
    distributed = _distributed()
    told = distributed.Variable(f"p2p-late-{attempt}", client=distributed.get_client())
    return lambda number: told.set(number)


def late_item(client: Any, attempt: str) -> int | None:
    """In the driver: the item that this task's worker has told; None where it has told none."""
    told = _distributed().Variable(f"p2p-late-{attempt}", client=client)
    found: int | None = within(1.0, lambda: told.get(timeout=0.3))
    return found


def lost() -> tuple[type[BaseException], ...]:
    """What `distributed` raises where a task was lost with its worker, or with the cluster."""
    distributed = _distributed()
    return (distributed.KilledWorker, distributed.CancelledError, distributed.comm.CommClosedError)


def within(seconds: float, call: Callable[[], Any]) -> Any:
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
def cluster(
    engine: str, modules: Collection[str] = (), *, preload: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[Any]:
    """A client of the cluster that `engine` names: `dask` for one of its own on this machine, else an address.

    Args:
        engine: its name or address.
        modules: installed ones that the steps use.
        preload: a further module that the workers of a cluster of its own load when they start.
        environment: variables that are set for these workers.

    Raises:
        InputRefused: there is no such cluster, or its workers lack modules, or have other versions than this process.
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
                # Else the first attempt on a worker would spend its time on importing.
                preload=[worker.__name__, chunk.__name__, *filter(None, [preload])],
                env=dict(environment or {}),
            ) as local,
            distributed.Client(local) as client,
        ):
            local.scheduler.allowed_failures = 0  # what is lost is told at once, not when a worker is there again
            yield client
        return
    with client_of(engine) as client:
        _check_workers(client, engine, sorted(modules))
        yield client


def client_of(engine: str, keys: Mapping[str, Any] | None = None) -> Any:
    """A client of the scheduler at an address.

    Args:
        engine: the address.
        keys: `keys_of` another client of it; Dask's own configuration where none are given.

    Raises:
        InputRefused: it is not there.
    """
    distributed = _distributed()
    security = distributed.Security(**keys) if keys else None
    try:
        return distributed.Client(engine, timeout=_ANSWER, security=security)
    except (OSError, TimeoutError, ValueError) as error:
        problem = str(error)
    # A client that has failed closes itself when it is let go of. Left to chance, that comes in the middle of the next
    # one's start now and then, and they wait for each other.
    gc.collect()
    raise InputRefused(
        f"There is no Dask scheduler at '{engine}': {problem}.", cure="Start one, or write --engine dask."
    )


def keys_of(client: Any) -> dict[str, Any]:
    """What another process needs to become a client of the same scheduler, of our own making; it is secret."""
    return {name: getattr(client.security, name) for name in _KEYS}


def _distributed() -> Any:
    try:
        found = importlib.import_module("distributed")
    except ImportError:
        raise InputRefused(
            "The Dask engine needs the package distributed.", cure="pip install 'p2p-toolkit[dask]'"
        ) from None
    _let_it_draw_apart()
    return found


def _let_it_draw_apart() -> None:
    """Give Dask a random generator of its own.

    Its threads draw from the global one, for the size of a message or the next try at a connection, whenever they send
    something: in a step at work, numbers that were seeded would be others.
    """
    for name in _DRAWING:
        module = importlib.import_module(name)
        for known_as, found in list(vars(module).items()):
            if found is random:
                setattr(module, known_as, _OF_DASK)
            elif isinstance(getattr(found, "__self__", None), random.Random):  # `from random import randint`
                setattr(module, known_as, getattr(_OF_DASK, found.__name__))


def _check_workers(client: Any, engine: str, modules: list[str]) -> None:
    """See that all workers can do the work: one that lacks a module would fail in the middle, or hang."""
    found = within(_ANSWER, lambda: client.run(worker.versions, modules, on_error="return"))
    if not found:
        raise InputRefused(f"The Dask cluster at '{engine}' has no worker.", cure="Start one: dask worker ADDRESS")
    ours = worker.versions(modules)
    for address, theirs in found.items():
        if isinstance(theirs, BaseException):
            raise InputRefused(
                f"The Dask worker at {address} cannot run p2p: {type(theirs).__name__}: {theirs}.",
                cure="Install the same environment there.",
            )
        lacks = [name for name in ours if name.startswith("module ") and theirs.get(name) is None]
        other = [f"{name} {theirs.get(name)} (here {version})" for name, version in ours.items()
                 if theirs.get(name) != version and name not in lacks]  # fmt: skip
        if lacks or other:
            told = [f"lacks {', '.join(lacks)}"] if lacks else []
            told += [f"has {', '.join(other)}"] if other else []
            raise InputRefused(
                f"The Dask worker at {address} {' and '.join(told)}.", cure="Install the same environment there."
            )
