"""The service: a scheduler that takes its turns until it is told to stop. `p2p schedule start` is its face."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from p2p.errors import StoreError
from p2p.scheduling import watched
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Tick, TickKind
from p2p.scheduling.owners import lives, owner_name, utc_now
from p2p.scheduling.scheduler import Limits, Scheduler
from p2p.scheduling.serving import Vitals
from p2p.scheduling.status import Status
from p2p.scheduling.workers import Workers
from p2p.settings import Settings

LOOK: Final = 5.0  # seconds at most between two turns: what others put into the ledger is seen by then
ALL: Final = 10**9  # what is asked for by hand does not wait for what others run
_TROUBLE: Final = 10.0  # seconds until a ledger that could not be used is tried again


@dataclass(frozen=True, kw_only=True)
class ServiceOptions:
    """How the service works.

    Attributes:
        at_once: ticks of all schedules that it runs at once.
        patience: seconds that runs get to end by themselves when it is stopped.
        page: whether it serves its status page.
        port: of the page: 0 for a free one; None for the usual one, or a free one where that is taken.
        log: told what is done.
    """

    at_once: int = 4
    patience: float = 30.0
    page: bool = False
    port: int | None = None
    log: Callable[..., None] | None = None


class Service:
    """One scheduler of a project.

    Args:
        settings: the project's.
        options: how it works.
    """

    def __init__(self, settings: Settings, options: ServiceOptions | None = None) -> None:
        self.settings = settings
        self.options = options or ServiceOptions()
        self.ledger = Ledger(settings.schedules)
        self.began = utc_now()
        self.last_turn: datetime | None = None
        self.trouble = ""
        self._stopping = threading.Event()
        self._at_once = threading.Event()
        self._woken = threading.Event()
        self._news = threading.Event()

    def stop(self) -> None:
        """Begin nothing more, and end when what is at work has ended; the second time, interrupt that."""
        if self._stopping.is_set():
            self._at_once.set()
        self._stopping.set()
        self._woken.set()

    def run(self) -> None:
        """Take turns until it is stopped. What is at work then is waited for, and later gone on with."""
        with self._watched(), _scheduling(self.settings, self.options, self._woken) as scheduler:
            while not self._stopping.is_set():
                self._turn(scheduler)
            self._end(scheduler)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """In the block, the status page is served, where it is asked for, and alerts are sent."""
        with contextlib.ExitStack() as stack:
            address = ""
            if self.options.page:
                vitals, links = self._vitals, watched.links_to(self.settings)
                address = stack.enter_context(watched.page(self.settings, vitals, self.options.port, links))
                self._say("status page", address=address)
            stack.enter_context(watched.alerting(self.settings, address, self._news, self._say))
            yield

    def _vitals(self, _status: Status) -> Vitals:
        return watched.vitals_of(self.last_turn, self.began, self.trouble)

    def _turn(self, scheduler: Scheduler) -> None:
        """One turn, and the wait for the next; a ledger that cannot be used just now is tried again."""
        self._woken.clear()
        wait = LOOK
        try:
            coming = scheduler.turn()
            self.last_turn, self.trouble = utc_now(), ""
            self._news.set()
            if coming is not None:
                wait = min(LOOK, max(0.0, (coming - utc_now()).total_seconds()))
        except StoreError as error:
            self._say("the ledger cannot be used", error=str(error))
            self.trouble, wait = str(error), _TROUBLE
        self._woken.wait(wait)

    def _end(self, scheduler: Scheduler) -> None:
        scheduler.drain()
        limit = time.monotonic() + self.options.patience
        while scheduler.busy and time.monotonic() < limit and not self._at_once.is_set():
            self._turn(scheduler)
        scheduler.interrupt()
        limit = time.monotonic() + 2 * self.options.patience
        while scheduler.busy and time.monotonic() < limit:
            self._turn(scheduler)
        with contextlib.suppress(StoreError):
            self.ledger.forget(scheduler.owner)

    def _say(self, event: str, **facts: object) -> None:
        if self.options.log is not None:
            self.options.log(event, **facts)


@contextmanager
def _scheduling(
    settings: Settings, options: ServiceOptions, woken: threading.Event, limits: Limits | None = None
) -> Iterator[Scheduler]:
    workers = Workers(settings, woken.set, subprocess.DEVNULL)
    try:
        yield Scheduler(
            Ledger(settings.schedules), workers, owner_name(), lives, utc_now,
            limits or Limits(at_once=options.at_once), options.log,
        )  # fmt: skip
    finally:
        workers.close()


def run_ticks(settings: Settings, ticks: Iterable[Tick], kind: TickKind, *, at_once: int) -> Iterator[Tick]:
    """Run ticks that were asked for by hand, here and now; gives each as it has ended.

    Args:
        settings: the project's.
        ticks: of one schedule.
        kind: theirs.
        at_once: how many run at once.
    """
    waiting = {tick.id: tick for tick in ticks if not tick.state.over}
    names = frozenset(tick.schedule for tick in waiting.values())
    limits = Limits(at_once=ALL, of_each=at_once, kinds=frozenset({kind}), only=names)
    woken = threading.Event()
    with _scheduling(settings, ServiceOptions(), woken, limits) as scheduler:
        try:
            while waiting:
                woken.clear()
                coming = scheduler.turn()
                for tick in [scheduler.ledger.tick(number) for number in waiting]:
                    if tick.state.over:
                        del waiting[tick.id]
                        yield tick
                pause = LOOK if coming is None else min(LOOK, max(0.0, (coming - utc_now()).total_seconds()))
                if waiting:
                    woken.wait(pause)
        except BaseException:
            scheduler.interrupt()
            limit = time.monotonic() + ServiceOptions.patience
            while scheduler.busy and time.monotonic() < limit:
                woken.clear()
                scheduler.turn()
                woken.wait(0.5)
            raise
        finally:
            scheduler.ledger.forget(scheduler.owner)
