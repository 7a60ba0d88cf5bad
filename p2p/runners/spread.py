"""A mapped task on the workers of a cluster: its items in chunks, what becomes of each, and what follows for it.

Items that take a millisecond go several to a task of Dask's, those that take long one by one. What follows a failed
attempt is decided here, for each item alone; a chunk that is lost with its worker is done again item by item.
"""

from __future__ import annotations

import heapq
import queue
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from p2p.cache.views import dumped
from p2p.cache.watching import saw
from p2p.errors import WorkerLost
from p2p.execution import Tally, bars, current_services, items_of
from p2p.execution.attempts import limit_of
from p2p.execution.timeouts import Limit
from p2p.pipeline import Task
from p2p.policy import Policy
from p2p.runners import chunk, worker
from p2p.runners.calling import call_of
from p2p.runners.cluster import BEGUN_BEFORE, Cluster, begins, ends, has_begun, has_ended, late_item, late_teller, lost
from p2p.runners.remote import by_value
from p2p.runners.sizing import Sizing
from p2p.runners.turns import Turn

_AHEAD = 2  # chunks for each thread of a worker: one at work, one that waits
_LOOK = 0.5  # seconds between two looks whether anybody is there


class Spread:
    """The items of one mapped task, at work on a cluster.

    Attributes:
        answer: of all that was seen so far: what was changed in place, and which names share objects.
        moved: the global random generators that items drew from.
    """

    def __init__(
        self, cluster: Cluster, turn: Turn, common: chunk.Common, task: Task, values: Mapping[str, Any], tally: Tally
    ) -> None:
        self.answer = worker.Answer()
        self.moved: set[str] = set()
        self._cluster = cluster
        self._turn = turn
        self._task = task
        self._items = items_of(values[task.over], task.step)
        self._call = call_of(task, values)
        self._tally = tally
        self._id = uuid.uuid4().hex
        self._common = common
        self._results: dict[int, Any] = {}
        self._failures: dict[int, int] = {}
        self._began: dict[int, float] = {}
        self._fresh = deque(range(len(self._items)))
        self._again: list[tuple[float, int]] = []  # items that are done alone, and when
        self._at_work: dict[str, tuple[Any, list[int], Limit | None]] = {}
        self._head: Any = None
        self._came: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._size = Sizing()
        tally.items = len(self._items)

    @property
    def attempts(self) -> list[str]:
        """Tasks of Dask's that are not done."""
        return [*self._at_work]

    def results(self) -> list[Any]:
        """The results, in order, when all are there.

        Raises:
            ItemFailed: the last attempt at an item failed.
        """
        with by_value(self._task.function):
            common = dumped(self._common, self._common.call.constants)
        self._head = self._cluster.submit(_kept, common, key=f"{self._task.step}-common-{self._id}")
        done = bars.counting(len(self._items))
        while len(self._results) < len(self._items):
            self._turn.check()
            self._submit_what_fits()
            came = self._next()
            if came is None:
                self._cluster.see_that_somebody_is_there(self._task.step)
            else:
                self._take(came)
            done(len(self._results))
        return [self._results[number] for number in range(len(self._items))]

    def let_go(self) -> None:
        """Forget what is still at work."""
        for future, _numbers, _limit in self._at_work.values():
            future.cancel()
        self._at_work.clear()

    def _submit_what_fits(self) -> None:
        threads = self._cluster.threads()
        while len(self._at_work) < _AHEAD * threads and (numbers := self._next_numbers(threads)):
            self._submit(numbers)

    def _next_numbers(self, threads: int) -> list[int]:
        if self._again and self._again[0][0] <= time.monotonic():
            return [heapq.heappop(self._again)[1]]
        size = min(len(self._fresh), self._size.size(len(self._fresh), threads))
        return [self._fresh.popleft() for _ in range(size)]

    def _submit(self, numbers: list[int]) -> None:
        spent = time.monotonic() - self._began.setdefault(numbers[0], time.monotonic())
        limit = limit_of(self._task.step, self._task.policy, spent)
        items = [(number, self._items[number]) for number in numbers]
        with by_value(self._task.function):
            blob = dumped(chunk.Chunk(items, limit), {str(number): item for number, item in items})
        attempt = self._cluster.new_attempt()
        future = self._cluster.submit(
            _once, self._head, blob, self._id, attempt, key=f"{self._task.step}-{attempt}"
        )  # fmt: skip
        self._at_work[attempt] = (future, numbers, limit)
        future.add_done_callback(lambda _done: self._came.put(attempt))

    def _next(self) -> str | None:
        """The next chunk that is done; None where there is none for a while, or an item's wait is over."""
        due = self._again[0][0] - time.monotonic() if self._again else _LOOK
        try:
            return self._came.get(timeout=min(max(due, 0.001), _LOOK))
        except queue.Empty:
            return None

    def _take(self, attempt: str) -> None:
        import cloudpickle

        future, numbers, limit = self._at_work.pop(attempt)
        try:
            found = bytes(future.result())
        except lost():
            found = BEGUN_BEFORE
        if found == BEGUN_BEFORE:
            self._lost(attempt, numbers, limit)
            return
        done: chunk.Done = cloudpickle.loads(found)
        self._see(done)
        self._size.learn(len(numbers), seconds=done.seconds, besides=done.besides, nbytes=len(found))
        self._results.update(done.results)
        for number, error in done.errors.items():
            self._failed(number, error)

    def _see(self, done: chunk.Done) -> None:
        """Note what a chunk told besides its results."""
        for kind, data in done.events:
            current_services().events.append(kind, **data)
        if done.failure is not None:
            raise done.failure
        saw(done.touched)
        self.moved |= done.moved
        self.answer.changed.update(dict.fromkeys(done.changed))
        out = [f"out {name}" for name in self._task.outputs]
        told = [tuple(n for name in group for n in (out if name == "out" else [name])) for group in done.groups]
        self.answer.groups = list(dict.fromkeys([*self.answer.groups, *told]))

    def _lost(self, attempt: str, numbers: Sequence[int], limit: Limit | None) -> None:
        """A chunk's worker has died. Where it held several items nobody knows which one did it: each is done alone.

        A chunk that was done, or had not begun, did nothing to the worker that died in another one.
        """
        late = late_item(self._cluster.client, attempt) if limit is not None else None
        client = self._cluster.client
        innocent = len(numbers) > 1 or has_ended(client, attempt) or not has_begun(client, attempt)
        for number in numbers:
            if limit is not None and number == late:
                self._failed(number, limit.passed())
            elif innocent:
                heapq.heappush(self._again, (time.monotonic(), number))
            else:
                self._failed(number, WorkerLost(self._task.step, "its process ended"))

    def _failed(self, number: int, error: BaseException) -> None:
        attempt = self._failures[number] = self._failures.get(number, 0) + 1
        policy = self._task.policy
        if not isinstance(error, Exception) or not policy.covers(error):
            raise self._tally.failed(number, error) from error
        spent = time.monotonic() - self._began.setdefault(number, time.monotonic())
        delay = policy.again_after(attempt, spent, current_services().random)
        if delay is not None:
            self._tally.retried(current_services(), number, attempt, delay, error)
            heapq.heappush(self._again, (time.monotonic() + delay, number))
        elif policy.has_fallback:
            self._fall_back(number, policy)
        else:
            raise self._tally.failed(number, error) from error

    def _fall_back(self, number: int, policy: Policy) -> None:
        try:
            with self._turn.taken():
                self._results[number] = self._call.on(self._items[number]).fallback(policy)
        except Exception as failure:
            raise self._tally.failed(number, failure) from failure
        self._tally.fallbacks += 1


def _kept(common: bytes) -> bytes:
    """A task of its own, so that each worker gets it once, and Dask makes it again where it is lost."""
    return common


def _once(common: bytes, blob: bytes, task: str, attempt: str) -> bytes:
    """`chunk.execute`, but not a second time: Dask gives the task of a worker that died to another one."""
    if not begins(attempt):
        return BEGUN_BEFORE
    found = chunk.execute(task, common, blob, attempt, late_teller(attempt))
    ends(attempt)
    return found
