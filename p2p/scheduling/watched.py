"""What people see of a scheduler from outside: its status page, and the alerts that it sends."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from p2p.errors import InputRefused
from p2p.mlui import served_elsewhere, told_place
from p2p.scheduling import addresses
from p2p.scheduling.alerts import Sender, sending
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.messages import Message, message_of
from p2p.scheduling.model import News
from p2p.scheduling.outbox import Outbox
from p2p.scheduling.owners import lives, owner_name, utc_now
from p2p.scheduling.page import Links
from p2p.scheduling.serving import Source, Vitals, served
from p2p.scheduling.status import Status, status_of
from p2p.secrets import Masker, environment_secrets
from p2p.settings import Settings

PORT: Final = 8765  # or a free one, where somebody has that and nobody has asked for it
RECENT: Final = timedelta(seconds=60)  # a scheduler that has taken no turn for so long is not well


def links_to(settings: Settings, mlflow: str | None = None) -> Links:
    """Where runs are to be seen: in MLflow's UI at this address, or on the tracking server that the project uses."""
    if mlflow is None:
        with contextlib.suppress(InputRefused):  # a store whose pages nobody can tell
            mlflow = served_elsewhere(settings)
    address = mlflow or ""
    return Links(address, lambda key: told_place(address, settings, key) if address else "")


@contextlib.contextmanager
def page(
    settings: Settings, vitals: Callable[[Status], Vitals], port: int | None, links: Links
) -> Iterator[str]:  # fmt: skip
    """In the block, the status page is served; gives its address.

    Args:
        settings: the project's.
        vitals: gives whether whoever serves it is well.
        port: 0 for a free one; None for the usual one, and a free one where that is taken.
        links: where runs are to be seen.

    Raises:
        InputRefused: the port cannot be had.
    """
    source = Source(
        status=lambda runs: status_of(settings, utc_now(), runs=runs), vitals=vitals, links=links,
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(served(source, PORT if port is None else port))
        except InputRefused:
            if port is not None:
                raise
            address = stack.enter_context(served(source, 0))
        yield address


def vitals_of(turn: datetime | None, began: datetime, trouble: str) -> Vitals:
    """Whether a scheduler is well: it has taken a turn lately, and could use its ledger."""
    age = utc_now() - (turn or began)
    if trouble:
        return Vitals(trouble, turn)
    return Vitals(f"the scheduler has taken no turn for {age.total_seconds():.0f} s" if age > RECENT else "", turn)


def vitals_from_outside(status: Status) -> Vitals:
    """Of a page that no scheduler serves: whether one is up, where there is a schedule."""
    return Vitals("" if status.schedulers or not status.schedules else "no scheduler is up")


@contextlib.contextmanager
def alerting(
    settings: Settings, page_address: str, woken: threading.Event, log: Callable[..., None]
) -> Iterator[None]:  # fmt: skip
    """In the block, a thread sends alerts."""
    sender = Sender(
        outbox=Outbox(settings.schedules), send=addresses.send, shown=addresses.shown,
        compose=lambda news: compose(settings, news, page_address), owner=owner_name(),
        lives=lambda owner: _alive(settings, owner),
        now=utc_now, log=log,
    )  # fmt: skip
    with sending(sender, woken):
        yield


def _alive(settings: Settings, owner: str) -> bool:
    ledger = Ledger(settings.schedules)
    try:
        return lives(owner, ledger.beats().get(owner))
    finally:
        ledger.close()


def compose(settings: Settings, news: News, page_address: str = "") -> Message:
    """The message for a piece of news, without secrets of the environment, and with a link to its run."""
    links = links_to(settings)
    place = links.run(news.run) if news.run else ""
    beside = f"{page_address}/#schedule-{news.schedule}" if page_address else ""
    message = message_of(news, settings.root.name, place or beside)
    masker = Masker(environment_secrets(os.environ))
    return Message(masker.text(message.title), masker.text(message.text), message.tone)


def tested(settings: Settings, name: str) -> list[tuple[str, str]]:
    """Send a test to each address of a schedule; gives each address as it may be shown, and what kept it from it.

    Raises:
        TargetError: there is no such schedule.
        InputRefused: it has no addresses.
    """
    schedule = Ledger(settings.schedules).entry(name).schedule
    if not schedule.alerts:
        raise InputRefused(
            f"Schedule '{name}' has nobody to tell.",
            cure="Give it addresses: p2p schedule add … --alert URL --replace.",
        )
    text = "this is how alerts of this schedule arrive"
    news = News(kind="test", schedule=name, time=utc_now(), text=text, zone=schedule.zone)
    message = compose(settings, news)
    return [(addresses.shown(one), addresses.send(one, message)) for one in schedule.alerts]
