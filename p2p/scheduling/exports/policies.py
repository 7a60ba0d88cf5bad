"""What a schedule asks for besides its times, and another scheduler has no word for.

What a person chose and would miss without knowing is refused: ticks that are to wait, to replace, or all to be made up
for. Everything else is noted: in the file, and where the export is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from p2p.errors import InputRefused
from p2p.scheduling.model import Missed, Overlap, Schedule

_PLAIN: Final = Schedule(name="plain", target="", when="@daily")
_OTHERS: Final[Mapping[str, str]] = {
    "retries": "no further attempts are made of a run that failed (retries {})",
    "retry_delay": "the delay before a further attempt is the scheduler's own (retry_delay {:g} s)",
    "timeout": "a run may take as long as it likes (timeout {:g} s)",
    "window": "missed runs are not held against a window ({:g} s)",
    "grace": "no grace tells a late run from a missed one ({:g} s)",
    "at_once": "how many runs are at work at once is not limited to {}",
    "late": "nobody is told of a run that is late ({:g} s)",
    "alerts": "nobody is told of failures: alerts are sent by p2p schedule start alone",
}


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a scheduler can say.

    Attributes:
        tool: what it is called.
        overlap: its own way where a run is still at work, by policy: empty where that is what the policy says.
        missed: its own way with missed runs, by policy.
        others: names of further attributes of a schedule that it has words for.
    """

    tool: str
    overlap: Mapping[Overlap, str] = field(default_factory=dict)
    missed: Mapping[Missed, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()


def unsaid(schedule: Schedule, words: Words) -> tuple[str, ...]:
    """What the scheduler does in its own way, a sentence each.

    Raises:
        InputRefused: it can not be said, and would be missed.
    """
    wrong = [
        f"{words.tool} cannot {what}" for what, is_wrong in (
            (f"{_OVERLAPS[schedule.overlap]} (overlap {schedule.overlap})", schedule.overlap not in words.overlap),
            (f"make up for missed runs as asked (missed {schedule.missed})", schedule.missed not in words.missed),
        ) if is_wrong
    ]  # fmt: skip
    if wrong:
        raise InputRefused(
            f"Schedule '{schedule.name}': {'; '.join(wrong)}.",
            cure="Choose another scheduler, add it anew with --replace, or leave it to p2p schedule start.",
        )
    own = (words.overlap[schedule.overlap], words.missed[schedule.missed])
    return (*(text for text in own if text), *_others(schedule, words))


_OVERLAPS: Final = {
    Overlap.SKIP: "leave out a run while another is at work",
    Overlap.QUEUE: "have runs wait for each other",
    Overlap.REPLACE: "stop a run for the next one",
}


def _others(schedule: Schedule, words: Words) -> list[str]:
    notes = []
    for name, text in _OTHERS.items():
        value = getattr(schedule, name)
        if name not in words.others and value != getattr(_PLAIN, name):
            notes.append(text.format(value))
    return notes
