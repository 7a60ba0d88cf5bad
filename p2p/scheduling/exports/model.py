"""The nouns of an export: what a target is given, what it gives, and what a target is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from p2p.scheduling.model import Schedule


class Per(StrEnum):
    """What a task of the other scheduler is."""

    RUN = "run"
    STEP = "step"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be written.

    Attributes:
        schedule: the schedule, whose target names the version where the steps are told.
        folder: the project's folder, where the command runs; empty where the target knows it.
        python: the Python that has p2p, there.
        image: the container image, for targets that run in one.
        steps: names of the pipeline's steps, in their order; empty where the run is one task.
        locks: files of the project that say what the run needs installed.
        cron_zone: whether the cron over there reads `CRON_TZ`.
        since: when it was exported; no run is before.
    """

    schedule: Schedule
    folder: str
    python: str
    since: datetime
    image: str = ""
    steps: Sequence[str] = ()
    locks: Sequence[str] = ()
    cron_zone: bool = False


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: text by file name.
        notes: what the schedule asks for and the other scheduler does not do, or does in its own way.
    """

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """Another scheduler.

    Attributes:
        name: as the command line has it.
        elsewhere: whether the run is on another machine than this one: neither this folder nor this Python is there.
        per: what its tasks can be, the usual first.
    """

    @property
    def name(self) -> str: ...

    @property
    def elsewhere(self) -> bool: ...

    @property
    def per(self) -> tuple[Per, ...]: ...

    def write(self, order: Order) -> Exported:
        """The files that run a schedule there.

        Raises:
            InputRefused: there is no way to say it there.
        """
        ...
