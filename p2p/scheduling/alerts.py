"""Sending alerts: what is due in the outbox goes to its addresses, each once, and again later where that fails.

Each alert is claimed before it is sent, so that two schedulers do not both send it. One that ends between sending and
saying so leaves an alert that the next one sends again: told twice is better than never.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from p2p.errors import StoreError
from p2p.scheduling.messages import Message
from p2p.scheduling.model import Alert, News
from p2p.scheduling.outbox import Outbox

FIRST_DELAY: Final = timedelta(minutes=1)  # after a first failure; doubled with each further one
LONGEST_DELAY: Final = timedelta(days=1)
GIVE_UP: Final = timedelta(days=7)  # news that is older helps nobody
LOOK: Final = 5.0  # seconds between two looks
_TO_END: Final = 10.0  # seconds for what is to be told when the scheduler ends


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends what is due, one after the other.

    Attributes:
        outbox: where it lies.
        send: sends a message to an address; gives why it could not, and nothing where it has.
        compose: the message for a piece of news.
        shown: an address for people.
        owner: this sender, as others see it.
        lives: whether another one does.
        now: the clock.
        log: told what is done.
    """

    outbox: Outbox
    send: Callable[[str, Message], str]
    compose: Callable[[News], Message]
    shown: Callable[[str], str]
    owner: str
    lives: Callable[[str], bool]
    now: Callable[[], datetime]
    log: Callable[..., None]

    def turn(self) -> None:
        """Send all that is due now. An address that fails is left alone until its time has come again."""
        seen: set[int] = set()
        while (alert := self._first(seen)) is not None:
            seen.add(alert.id)
            if self.outbox.claim(alert, self.owner):
                self._tell(alert)

    def _first(self, seen: set[int]) -> Alert | None:
        for alert in self.outbox.due(self.now()):
            if alert.id not in seen and (alert.owner in ("", self.owner) or not self.lives(alert.owner)):
                return alert
        return None

    def _tell(self, alert: Alert) -> None:
        facts = {"kind": alert.news.kind, "schedule": alert.news.schedule, "address": self.shown(alert.address)}
        try:
            problem = self.send(alert.address, self.compose(alert.news))
        except Exception as error:  # noqa: BLE001  # a plugin of a service may do anything; its text may hold the address
            problem = f"the service's plugin ended with {type(error).__name__}"
        now = self.now()
        if not problem:
            self.outbox.told(alert, now)
            self.log("alert sent", **facts)
        elif alert.news.made is not None and now - alert.news.made > GIVE_UP:
            self.outbox.give_up(alert, problem, now)
            self.log("alert given up", **facts, error=problem)
        else:
            again = now + delay(alert.tries)
            self.outbox.not_told(alert, problem, again)
            self.log("alert not sent", **facts, error=problem, tried=alert.tries + 1, again=again.isoformat())


def _try(sender: Sender) -> None:
    try:
        sender.turn()
    except StoreError:
        pass  # the scheduler's own turns tell of it
    except Exception as error:  # noqa: BLE001  # whatever it is, the thread goes on, and says so
        sender.log("alerts are in trouble", error=f"{type(error).__name__}: {error}")


def delay(tries: int) -> timedelta:
    """How long after one more failure an alert is tried again: 1, 2, 4 minutes, and so on, at most a day."""
    return min(FIRST_DELAY * (1 << min(tries, 20)), LONGEST_DELAY)


@contextlib.contextmanager
def sending(sender: Sender, woken: threading.Event) -> Iterator[None]:
    """In the block, a thread sends what is due; at its end, what is due then is sent, if that does not take long."""
    ending = threading.Event()

    def work() -> None:
        try:
            while True:
                last = ending.is_set()
                _try(sender)
                if last:
                    return
                woken.wait(LOOK)
                woken.clear()
        finally:
            sender.outbox.close()

    thread = threading.Thread(target=work, name="p2p-alerts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        woken.set()
        thread.join(_TO_END)
