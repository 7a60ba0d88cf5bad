"""What people read of news: a title and a plain text, in the time zone of the schedule."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from p2p.scheduling.model import News
from p2p.terminal import visible


class Tone(StrEnum):
    """How a message is to be taken."""

    BAD = "bad"
    WARNING = "warning"
    GOOD = "good"
    PLAIN = "plain"


@dataclass(frozen=True)
class Message:
    """What is sent.

    Attributes:
        title: one line.
        text: plain text of several lines.
        tone: how it is to be taken.
    """

    title: str
    text: str
    tone: Tone


_KINDS: Final = {
    "failed": ("failed", Tone.BAD), "recovered": ("runs again", Tone.GOOD), "late": ("is late", Tone.WARNING),
    "missed": ("missed ticks", Tone.WARNING), "test": ("sends a test", Tone.PLAIN),
}  # fmt: skip
_WHAT: Final = {"failed": "error"}
_MOST: Final = 1500  # characters of an error


def message_of(news: News, project: str, link: str = "") -> Message:
    """The message for a piece of news.

    Args:
        news: what happened.
        project: the project's name.
        link: where to see more; empty for nowhere.
    """
    what, tone = _KINDS.get(news.kind, (news.kind, Tone.PLAIN))
    title = f"{project}: {news.schedule} {what}, {time_text(news.time, news.zone)}"
    lines = [f"{name}: {value}" for name, value in _facts(news, project, link) if value]
    return Message(" ".join(visible(title).split()), "\n".join(lines), tone)


def _facts(news: News, project: str, link: str) -> Iterator[tuple[str, str]]:
    yield "schedule", f"{news.schedule} ({project})"
    yield "kind", news.kind
    yield "logical time", f"{time_text(news.time, news.zone)} ({news.zone})"
    yield "step", visible(news.step)
    yield _WHAT.get(news.kind, "what"), visible(news.text)[:_MOST]
    yield "run", news.run_id or news.run
    yield "see", link
    if news.kind == "failed":
        yield "open the failing step", way_in(news.run_id or news.run, news.step)


def way_in(run: str, step: str) -> str:
    """The command that opens a failed step; empty where there is no run."""
    if not run:
        return ""
    return f"p2p debug {run}{f' --step {shlex.quote(visible(step))}' if step else ''}"


def time_text(moment: datetime, zone: str) -> str:
    """A time by the clocks of a zone."""
    return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M:%S %Z}"
