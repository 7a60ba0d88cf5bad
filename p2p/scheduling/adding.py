"""Adding a schedule: everything that can be known to be wrong is refused before anything is written."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final

from p2p.errors import InputRefused, ParameterError
from p2p.export.targets import is_notebook, load_pipeline
from p2p.notebook.document import parameters_of, read_notebook
from p2p.params import ParameterSet
from p2p.scheduling.addresses import check_address
from p2p.scheduling.fields import at, check_fields
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Schedule
from p2p.scheduling.triggers import read_trigger
from p2p.settings import Settings
from p2p.tracking.facts import relative

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def add(schedule: Schedule, settings: Settings, now: datetime, *, replace: bool = False) -> Schedule:
    """Add a schedule, whose ticks count from now; gives it as it was added.

    Raises:
        InputRefused: its name, its time, its policy, an address or a parameter is not right, or there is one of
            that name.
        TargetError: there is no such target.
    """
    checked = _checked(schedule, settings, now)
    Ledger(settings.schedules).add(checked, now, replace=replace)
    return checked


def _checked(schedule: Schedule, settings: Settings, now: datetime) -> Schedule:
    if not _NAME.fullmatch(schedule.name):
        raise InputRefused(
            f"{schedule.name!r:.80} is no name for a schedule.",
            cure="Use letters, digits, '.', '_' and '-', at most 63, the first a letter or digit.",
        )
    _check_policy(schedule)
    trigger = read_trigger(schedule.when, schedule.zone, now=now)
    check_fields(schedule)
    for address in schedule.alerts:
        check_address(address)
    first = trigger.after(now)
    assert first is not None  # a trigger that is never due was refused
    _check_parameters(schedule, settings, first)
    return schedule


def _check_policy(schedule: Schedule) -> None:
    """Numbers that make no sense."""
    wrong = [
        text for text, is_wrong in (
            ("retries cannot be less than 0", schedule.retries < 0),
            ("the delay before a retry cannot be less than 0", schedule.retry_delay < 0),
            ("the timeout must be more than 0", schedule.timeout is not None and schedule.timeout <= 0),
            ("at least one tick must be allowed at once", schedule.at_once < 1),
            ("at least one missed tick must be allowed to run; to run none, choose skip", schedule.most < 1),
            ("the grace cannot be less than 0", schedule.grace < 0),
            ("the window cannot be shorter than the grace", schedule.window < schedule.grace),
        ) if is_wrong
    ]  # fmt: skip
    if wrong:
        raise InputRefused(f"Schedule '{schedule.name}': {'; '.join(wrong)}.", cure="Nothing was added.")


def _check_parameters(schedule: Schedule, settings: Settings, first: datetime) -> None:
    """Read the parameters as the first tick would."""
    try:
        values = parameters_of_target(schedule.target, settings).parse({}, text=at(schedule, first))
    except ParameterError as error:
        raise InputRefused(f"Schedule '{schedule.name}' cannot run: {error}", fields=error.fields) from None
    secret = next(iter(values.secrets()), "")
    if secret:
        raise InputRefused(
            f"Parameter '{secret}' is a secret, which the ledger of schedules would keep as it is.",
            cure="Have the notebook read it from an environment variable of the scheduler.",
        )


def parameters_of_target(target: str, settings: Settings) -> ParameterSet:
    """The parameters of a notebook, a pipeline or a version."""
    if is_notebook(target):
        return parameters_of(read_notebook(settings.root / target))
    return ParameterSet.of(load_pipeline(target, settings).params)


def as_kept(target: str, settings: Settings) -> str:
    """A target as a schedule keeps it: a notebook's path is relative to the project.

    Raises:
        InputRefused: the notebook lies outside the project.
    """
    if not is_notebook(target):
        return target
    path = Path(target).resolve()
    if not path.is_relative_to(settings.root):
        raise InputRefused(
            f"'{target}' is not in the project at '{settings.root}'.",
            cure="Copy it there.",
        )
    return relative(path, settings.root)
