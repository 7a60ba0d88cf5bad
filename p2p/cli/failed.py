"""What to type when a run has failed: the line that opens its failed step, where that can be opened."""

from __future__ import annotations

import shlex

from p2p.model import RunStatus
from p2p.outcome import RunOutcome
from p2p.settings import Settings, load_settings
from p2p.sweep import SweepOutcome


def way_into(outcome: RunOutcome, settings: Settings) -> str:
    """The command line for a run; empty where it did not fail in a step, or `p2p debug` would refuse it."""
    return _line(outcome.key, outcome.failed_step, settings)


def way_into_point(done: SweepOutcome, settings: Settings) -> str:
    """The command line for the first point of a sweep that failed; empty where there is none."""
    failed = next((point for point in done.points if point.status is RunStatus.FAILED), None)
    return "" if failed is None else _line(failed.key, failed.failed_step, settings)


def _line(key: str, step: str, settings: Settings) -> str:
    """The line, as it can be typed where this process is: it names the project where that is another one."""
    from p2p.debugging import way_in

    line = way_in(key, settings, step=step) if step else ""
    elsewhere = line and load_settings().root != settings.root
    return f"P2P_ROOT={shlex.quote(str(settings.root))} {line}" if elsewhere else line
