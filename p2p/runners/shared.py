"""A Dask cluster that several processes of this one's share, each a client of its own: a sweep's.

It is found or made once, and checked once, before any work. What is at work on it is left by parts, a part for each
process: who was killed cannot do that itself.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from p2p.cache.watching import look_away_from
from p2p.pipeline import Pipeline
from p2p.runners import aside, worker
from p2p.runners.cluster import OWN, Cluster, client_of, cluster, keys_of
from p2p.runners.dask import DaskEngine
from p2p.runners.remote import libraries
from p2p.tracking.ownrun import OwnRun

_GRACE = 1.0  # seconds that attempts have to end by themselves when the whole is interrupted


@dataclass(frozen=True)
class Share:
    """What a process is told of the cluster; it goes through a pipe, because of the keys.

    Attributes:
        address: the scheduler's.
        part: what the names of its attempts begin with.
        keys: as `keys_of` gives them; none for a cluster that is not ours.
    """

    address: str
    part: str
    keys: dict[str, Any] = field(default_factory=dict, repr=False)


class SharedCluster:
    """The cluster, as the process sees it that the others belong to.

    Args:
        client: of `distributed`.
        engine: as `--engine` names it.

    Attributes:
        own: it was made here, with workers that have this process's environment and files.
    """

    def __init__(self, client: Any, engine: str) -> None:
        self.own = engine == OWN
        self._engine = engine
        self._client = client
        self._cluster = Cluster(client, own=self.own)
        self._all = uuid.uuid4().hex
        self._numbers = count()

    @property
    def threads(self) -> int:
        """How many tasks its workers do at once; 1 or more."""
        return self._cluster.threads()

    def share(self) -> Share:
        """A part for one more process."""
        part = f"{self._all}{next(self._numbers):06x}"
        if not self.own:
            return Share(self._engine, part)
        return Share(self._client.scheduler.address, part, keys_of(self._client))

    def trouble(self) -> str:
        """Why nothing can run there any more; empty while it can. What was at work when it went is lost in any case."""
        return f"the Dask scheduler at '{self._engine}' is gone" if self._client.status != "running" else ""

    def leave(self, share: Share) -> None:
        """End the attempts of a process that has ended."""
        self._cluster.leave([share.part], goes_on=True)

    def end(self) -> None:
        """End all attempts, soon: nothing comes after them."""
        self._cluster.leave([self._all], goes_on=False, grace=_GRACE)


@contextmanager
def shared_cluster(engine: str, pipeline: Pipeline, *, log: bool) -> Iterator[SharedCluster]:
    """The cluster that `--engine` names; one of its own lasts as long as the block.

    Args:
        engine: `dask`, or a scheduler's address.
        pipeline: what is to run there.
        log: what steps print on workers of its own goes to stderr; else nowhere.

    Raises:
        InputRefused: it is not there, or its workers cannot do the work.
    """
    modules = libraries(task.function for task in pipeline.tasks)
    environment = {
        "MPLBACKEND": os.environ.get("MPLBACKEND", "agg"), aside.PRINTS: aside.STDERR if log else aside.NOWHERE,
    }  # fmt: skip
    with cluster(engine, modules, preload=aside.__name__, environment=environment) as client:
        yield SharedCluster(client, engine)


_clients: dict[str, Any] = {}  # of this process, by address; its runs come one after another


def engine_of(share: Share, own_run: OwnRun) -> DaskEngine:
    """In a process that has a part: the engine for one of its runs.

    Raises:
        InputRefused: the scheduler is not there.
    """
    look_away_from(worker.DASKS)
    client = _clients.get(share.address)
    if client is None or client.status == "closed":
        client = _clients[share.address] = client_of(share.address, share.keys)
    return DaskEngine(client, own_run, own=False, part=share.part)
