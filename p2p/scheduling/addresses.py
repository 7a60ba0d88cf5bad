"""Addresses that alerts are sent to: Apprise URLs, or `env:NAME` for one that only the scheduler's environment knows.

A URL may hold a password or a token anywhere, also in its path or where a host would be. So it is shown by its kind and
host alone, and what a service says of a failure is masked before anybody sees it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from p2p.errors import InputRefused
from p2p.scheduling.extra import needed
from p2p.scheduling.messages import Message, Tone
from p2p.secrets import Masker

_ENVIRONMENT: Final = "env:"
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST: Final = re.compile(r"localhost|\[[0-9a-f:.]+\]|[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE | re.ASCII)
_PIECES: Final = re.compile(r"[/?&=:@#,+]+")
_PATIENCE: Final = 30.0  # seconds that a service gets to answer
_MOST: Final = 300  # characters of a problem


def check_address(address: str, environment: Mapping[str, str] | None = None) -> None:
    """InputRefused for an address that no alert could be sent to; one from an environment is judged where it is set."""
    environment = os.environ if environment is None else environment
    if address.startswith(_ENVIRONMENT):
        name = address.removeprefix(_ENVIRONMENT)
        if not _VARIABLE.fullmatch(name):
            raise InputRefused(
                f"{name!r:.60} is no name of an environment variable.", cure="Write env:NAME, as in env:ALERT_URL."
            )
        address = environment.get(name, "")
        if not address:
            return
    _service(address)


def shown(address: str) -> str:
    """An address for people: its kind, and its host where it names one; nothing that could be a secret."""
    if address.startswith(_ENVIRONMENT):
        return address
    service = _made(address)
    if service is None:
        return "an address that Apprise does not know"
    safe, given = urlsplit(service.url(privacy=True)), urlsplit(address)
    host = (safe.hostname or "") if safe.hostname == given.hostname else ""
    if not _HOST.fullmatch(host):
        return f"{safe.scheme}://…"
    return f"{safe.scheme}://{host}{f':{safe.port}' if safe.port else ''}/…"


def send(address: str, message: Message) -> str:
    """Send a message; gives why it could not be sent, without secrets, and nothing where it was."""
    try:
        url = _read(address)
        service = _service(url)
    except InputRefused as refused:
        return str(refused)
    apprise = _apprise()
    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    with _listening() as said:
        sent = sender.notify(
            title=message.title, body=message.text,
            body_format=apprise.NotifyFormat.TEXT,  # what a run has said is no markup: it is escaped where mail is HTML
            notify_type=_kind(apprise, message.tone),
        )  # fmt: skip
    return "" if sent else _problem(said, url, service)


def _problem(said: list[str], url: str, service: Any) -> str:
    told = " ".join(" ".join(said).split()) or "the service did not take it"
    return Masker(_secrets(url, service)).text(told)[:_MOST]


def _secrets(url: str, service: Any) -> Iterator[str]:
    """Each piece of an address that is not shown of it."""
    open_to_all = shown(url)
    for text in (url, unquote(url), unquote(service.url())):
        yield from (piece for piece in _PIECES.split(text) if piece and piece not in open_to_all)


def _read(address: str) -> str:
    """The URL that an address stands for."""
    if not address.startswith(_ENVIRONMENT):
        return address
    name = address.removeprefix(_ENVIRONMENT)
    if not os.environ.get(name):
        raise InputRefused(f"The environment variable {name} is not set for this scheduler.")
    return os.environ[name]


def _service(url: str) -> Any:
    service = _made(url)
    if service is None:
        kind = f"{url.partition('://')[0][:20]}://…" if "://" in url else "a text without '://'"
        raise InputRefused(
            f"An alert cannot be sent to {kind}: Apprise does not understand this address.",
            cure="Its services, and how each is written: https://github.com/caronc/apprise/wiki",
        )
    return service


def _made(url: str) -> Any:
    """The service of a URL; None where Apprise knows none."""
    apprise = _apprise()
    asset = apprise.AppriseAsset(app_id="p2p", app_desc="p2p", image_url_mask=None, image_url_logo=None)
    asset.service_timeout = _PATIENCE
    with _listening():
        return apprise.Apprise.instantiate(url, asset=asset) if "://" in url else None


def _apprise() -> Any:
    return needed("apprise", "An alert")


def _kind(apprise: Any, tone: Tone) -> Any:
    return {
        Tone.BAD: apprise.NotifyType.FAILURE, Tone.WARNING: apprise.NotifyType.WARNING,
        Tone.GOOD: apprise.NotifyType.SUCCESS, Tone.PLAIN: apprise.NotifyType.INFO,
    }[tone]  # fmt: skip


@contextlib.contextmanager
def _listening() -> Iterator[list[str]]:
    """In the block, what Apprise warns of is heard here, and does not reach stderr as it is."""
    said: list[str] = []
    logger = logging.getLogger("apprise")
    handler = _Said(said)
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.propagate = before
        logger.removeHandler(handler)


class _Said(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())
