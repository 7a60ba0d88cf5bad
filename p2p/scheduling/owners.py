"""Schedulers as they see each other: a name for a process, and whether it lives."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from p2p.tracking.owner import Life, Owner, life_of, this_process

SEEN: Final = timedelta(seconds=60)  # whoever cannot be asked whether it lives is dead after that


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def owner_name() -> str:
    """This process as the owner of ticks."""
    return json.dumps(this_process().as_dict(), sort_keys=True)


def lives(owner: str, beat: datetime | None) -> bool:
    """Whether a scheduler does; one on another machine, or in another container, by when it was last seen."""
    try:
        life = life_of(Owner.from_dict(json.loads(owner)))
    except ValueError:
        return False
    if life is Life.UNKNOWN:
        return beat is not None and utc_now() - beat < SEEN
    return life is Life.ALIVE


def shown(owner: str) -> str:
    """An owner for people."""
    facts: dict[str, Any] = json.loads(owner) if owner else {}
    return f"process {facts['pid']} on {facts['host']}" if facts else ""
