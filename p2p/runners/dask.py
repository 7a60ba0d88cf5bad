"""The Dask engine: the bodies of a pipeline's steps on the workers of a cluster, everything else in this process.

Each attempt is one task of Dask's. Dask itself, which runs a task again when its worker dies, is kept from it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from p2p.errors import WorkerLost
from p2p.execution import Tally, current_services, generators
from p2p.execution.place import here
from p2p.pipeline import Task
from p2p.runners import chunk, worker
from p2p.runners.apart import refuse_hidden_changes
from p2p.runners.calling import call_of, named
from p2p.runners.cluster import BEGUN_BEFORE, OWN, Cluster, begins, cluster, has_begun, lost, teller
from p2p.runners.remote import RemoteEngine
from p2p.runners.spread import Spread
from p2p.tracking.ownrun import OwnRun

__all__ = ["OWN", "DaskEngine", "cluster"]


class DaskEngine(RemoteEngine):
    """Calls the functions of tasks on a cluster.

    Args:
        client: of `distributed`.
        own_run: the run that user code logs to.
        own: the cluster ends with this run.
        part: what the names of its attempts begin with.
    """

    def __init__(self, client: Any, own_run: OwnRun, *, own: bool, part: str = "") -> None:
        super().__init__(own_run)
        self._cluster = Cluster(client, own=own, part=part)
        self._hears = False

    def map(self, task: Task, values: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
        """What a mapped task gives: its items side by side on the workers.

        Raises:
            ItemFailed: the last attempt at an item failed.
            RunFailed: it changes what others see, too, and so would not see changed.
        """
        self.turn.check()
        before, origin = generators.states(), generators.digests()
        spread = Spread(self._cluster, self.turn, self._common(task, values, origin), task, values, tally)
        try:
            with self.turn.away():
                results = spread.results()
        except BaseException as error:
            self._given_up(spread.attempts, error)
            spread.let_go()
            raise
        finally:
            if spread.moved:
                generators.Branches(origin).end(before, spread.moved)
        self._drawn(task, spread.moved)
        answer = spread.answer
        refuse_hidden_changes(replace(task, changes=()), self._apart.sharing(answer.changed, values), answer)
        self._apart.follow(answer.groups, task.gives)
        return named(task, results, values)

    def _common(self, task: Task, values: Mapping[str, Any], origin: Mapping[str, str]) -> chunk.Common:
        at = here()
        names = task.inputs.items() if isinstance(task.inputs, Mapping) else enumerate(task.inputs)
        return chunk.Common(
            call=call_of(task, values), names={str(place): name for place, name in names}, step=task.step,
            place=(at.id, at.key), run=current_services().run, origin=origin, own_run=self._facts(),
            files=task.policy.paths,
        )  # fmt: skip

    def _new_attempt(self) -> str:
        return self._cluster.new_attempt()

    def _result(self, blob: bytes, attempt: str, step: str) -> bytes:
        """What a worker gives.

        Another thread talks with the cluster: what ends a step whose time is over is raised in this one, and would be
        within the code of `distributed`, which it leaves broken, or which swallows it.
        """
        if not self._hears:
            self._hears = True
            self._cluster.hear(self._hearing.take)
        left = threading.Event()
        talker = ThreadPoolExecutor(1, thread_name_prefix="p2p-dask")
        try:
            asked = talker.submit(self._asked, blob, attempt, step, left)
            while not wait([asked], timeout=0.2).done:
                self.turn.check()
            return asked.result()
        finally:
            left.set()
            talker.shutdown(wait=False)

    def _asked(self, blob: bytes, attempt: str, step: str, left: threading.Event) -> bytes:
        future = self._cluster.submit(_once, blob, attempt, key=f"{step}-{attempt}")
        begin = 1
        while True:
            try:
                found = bytes(future.result(timeout=0.5))
            except TimeoutError:
                if left.is_set():
                    return BEGUN_BEFORE  # which nobody waits for
                self._cluster.see_that_somebody_is_there(step)
            except lost() as error:
                if not left.is_set() and not has_begun(self._cluster.client, attempt):
                    begin += 1
                    future = self._cluster.submit(_once, blob, attempt, key=f"{step}-{attempt}-{begin}")
                    continue
                raise WorkerLost(step, f"{type(error).__name__}: {error}") from None
            else:
                if found == BEGUN_BEFORE:
                    raise WorkerLost(step, "its process ended")
                return found

    def _leave(self, attempts: Collection[str], *, goes_on: bool) -> None:
        self._cluster.leave(attempts, goes_on=goes_on)


def _once(blob: bytes, attempt: str) -> bytes:
    """`execute`, but not a second time: Dask gives the task of a worker that died to another one."""
    return worker.execute(blob, attempt, teller()) if begins(attempt) else BEGUN_BEFORE
