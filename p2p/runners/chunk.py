"""What happens on a Dask worker with some items of a mapped task: one attempt at each, one after another.

The driver decides what follows a failed attempt, and does what was lost again, item by item (see `spread`).
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from p2p.cache.fingerprints import IMMUTABLE
from p2p.cache.sharing import groups, held
from p2p.cache.views import dumped
from p2p.errors import RunFailed
from p2p.execution import Call, Services, by_step, use_services
from p2p.execution.generators import Branches
from p2p.execution.place import Place
from p2p.execution.timeouts import Limit, in_time
from p2p.runners import worker
from p2p.store import content_digest
from p2p.tracking import guard
from p2p.tracking.ownrun import OwnRun
from p2p.tracking.processes import Descendants

_MOST_KNOWN = 2  # mapped tasks whose common part a worker keeps


@dataclass(frozen=True, kw_only=True)
class Common:
    """What all items of a mapped task have in common; sent once.

    Attributes:
        call: the call, without an item.
        names: by position or keyword of an argument, the name of the value that it takes.
        step: the step's name.
        place: id and idempotency key of this execution of the step.
        run: key of the run, from which the keys of steps inside this one are made.
        origin: digests of the global random generators' states before the first item.
        own_run: facts of the run that user code logs to.
        files: those that the step says it reads.
    """

    call: Call
    names: Mapping[str, str]
    step: str
    place: tuple[str, str]
    run: str
    origin: Mapping[str, str]
    own_run: Mapping[str, Any]
    files: Sequence[str] = ()

    @property
    def over(self) -> str:
        return self.names[str(self.call.place)]


@dataclass(frozen=True)
class Chunk:
    """Some items: the number of each, and itself; and how long one attempt at one may take."""

    items: Sequence[tuple[int, Any]]
    limit: Limit | None


@dataclass
class Done:
    """What became of a chunk.

    Attributes:
        results, errors: by number of an item, what its attempt gave or raised.
        failure: what keeps all of them from having been tried; None where nothing did.
        events: what was told, in order: kind and data.
        moved: the global random generators that some item drew from.
        changed: names of values that were changed in place.
        groups: names of values taken (`in x`) and of the result (`out`) that share an object or memory.
        seconds: time that the items themselves took.
        besides: time that the worker spent besides.
        touched: what items touched besides their inputs, as far as that was seen.
    """

    results: dict[int, Any] = field(default_factory=dict)
    errors: dict[int, BaseException] = field(default_factory=dict)
    failure: BaseException | None = None
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    groups: list[tuple[str, ...]] = field(default_factory=list)
    seconds: float = 0.0
    besides: float = 0.0
    touched: list[str] = field(default_factory=list)


class _Known:
    """The common part of a task, unpickled, and the digests of its constants as they came."""

    def __init__(self, common: Common) -> None:
        for name in common.origin:  # one that an item loads by itself would start from its own entropy
            importlib.import_module("numpy.random" if name == "numpy" else name)
        self.common = common
        self.constants = {common.names[n]: value for n, value in common.call.constants.items() if n in common.names}
        self.digests = _digests(self.constants)
        self.own_run = OwnRun(**common.own_run, append=by_step(worker.nowhere))


_known: dict[str, _Known] = {}


def _knowing(task: str, blob: bytes) -> _Known:
    import cloudpickle

    if task not in _known:
        while len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)))
        _known[task] = _Known(cloudpickle.loads(blob))
    return _known[task]


def execute(task: str, common: bytes, blob: bytes, attempt: str, late: Callable[[int], None]) -> bytes:
    """Try each item of a chunk once; gives its `Done`, pickled. Nothing that they do raises here.

    Args:
        task: names this execution of the mapped task.
        common: its `Common`, pickled.
        blob: its `Chunk`, pickled.
        attempt: names this task of Dask's.
        late: told the number of an item that does not stop when its time is over, before this process is ended for it.
    """
    import cloudpickle

    began = time.monotonic()
    if not worker.begin(attempt):
        return dumped(Done(failure=RunFailed("The chunk was given up before it began.")))
    try:
        done = _tried(_knowing(task, common), cloudpickle.loads(blob), late)
    except BaseException as error:  # noqa: BLE001  # it belongs to the step, not to the worker
        done = Done(failure=error)
    finally:
        worker.ended(attempt)
    done.besides = time.monotonic() - began - done.seconds
    return _dumped(done)


def _tried(known: _Known, chunk: Chunk, late: Callable[[int], None]) -> Done:
    common = known.common
    told = worker.Told()
    done = Done(events=told.events)
    before = [_digest(item) for _number, item in chunk.items]
    branches = Branches(common.origin)
    guard.attach(known.own_run.telling(by_step(told.append)))
    services = Services(events=told, run=common.run)
    try:
        with (
            worker.seeing(common.own_run, common.files) as touched,
            use_services(services),
            Place(common.step, *common.place).entered() as place,
        ):
            for number, item in chunk.items:
                branches.start(number)
                _try(common, number, item, place.item(number), chunk.limit, late, done)
                done.moved |= branches.moved()
    finally:
        guard.detach()
    done.touched = [*touched.seen]
    if before != [_digest(item) for _number, item in chunk.items]:
        done.changed.add(common.over)
    done.changed |= {name for name, digest in _digests(known.constants).items() if digest != known.digests[name]}
    taken = {f"in {name}": value for name, value in known.constants.items()}
    every = {**taken, f"in {common.over}": [item for _number, item in chunk.items], "out": list(done.results.values())}
    done.groups = groups(held(every))
    return done


def _try(
    common: Common, number: int, item: Any, place: Place, limit: Limit | None, late: Callable[[int], None], done: Done
) -> None:
    began = time.monotonic()
    try:
        with place.entered(), _ended_if_late(limit, number, late):
            done.results[number] = in_time(limit, common.call.on(item))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it is the item's, and the driver's to judge
        done.errors[number] = worker.plain(error, common.step)
    done.seconds += time.monotonic() - began


@contextmanager
def _ended_if_late(limit: Limit | None, number: int, late: Callable[[int], None]) -> Iterator[None]:
    """In the block, this process is ended when an item's time has been over for a while, and what it has started."""
    if limit is None:
        yield
        return
    timer = threading.Timer(limit.seconds + worker.GRACE, _end, [number, late])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(number: int, late: Callable[[int], None]) -> None:
    teller = threading.Thread(target=late, args=[number], daemon=True)
    teller.start()
    teller.join(1.0)
    Descendants.of(os.getpid()).kill()
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _digests(values: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: _digest(value) for name, value in values.items()}


def _digest(value: Any) -> str | None:
    return None if isinstance(value, IMMUTABLE) else content_digest(value)


def _dumped(done: Done) -> bytes:
    """What became of a chunk as bytes; a result or an error that cannot be sent is replaced by one that says so."""
    try:
        return dumped(done, {str(number): value for number, value in done.results.items()})
    except Exception:  # noqa: BLE001  # pickling runs the user's code
        unsent = {n: found for n, v in done.results.items() if (found := worker.unsent(v, "gives a value")) is not None}
        unraised = {n: found for n, e in done.errors.items() if (found := worker.unsent(e, "raises an error"))}
        done.results = {number: value for number, value in done.results.items() if number not in unsent}
        done.errors = {**done.errors, **unsent, **unraised}
        done.failure = worker.unsent(done.failure, "raises an error") or done.failure
        return dumped(done)
