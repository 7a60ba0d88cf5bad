"""Which earlier results a run may use: those of equal steps, and those of a run that it resumes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2p.cache.earlier import Earlier
from p2p.cache.entries import Entries
from p2p.cache.memory import RunMemory
from p2p.errors import InputRefused, TargetError
from p2p.execution import EventSink
from p2p.model import RunStatus
from p2p.secrets import MASK, Masker
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.tracking import RunRecord, find_run
from p2p.tracking.reaper import reap

UNTIL = "p2p.until"  # tag of a run that was to end with a step before the last


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """Earlier results that a run may use.

    Attributes:
        cache: results of equal steps of other runs may be used, and this run's are kept for them.
        resumes: the run to go on with.
    """

    cache: bool = True
    resumes: RunRecord | None = None

    @property
    def resumed_from(self) -> str:
        """Key of the run that is resumed; empty for a run that resumes none."""
        return "" if self.resumes is None else self.resumes.key

    @property
    def first_run(self) -> str:
        """Key of the first of the runs that go on with each other; empty for a run that resumes none."""
        return "" if self.resumes is None else str(self.resumes.facts.get("first_run") or self.resumes.key)

    @property
    def directory(self) -> str:
        return "" if self.resumes is None else str(self.resumes.directory)

    def parameters(self, given: Collection[str]) -> dict[str, Any]:
        """The parameters that the resumed run was given, without those that are given anew.

        Raises:
            InputRefused: one of them is a secret, which nobody has written down.
        """
        if self.resumes is None:
            return {}
        known: Mapping[str, Any] = self.resumes.facts.get("params", {})
        again = {n: known[n] for n in self.resumes.facts.get("overridden", ()) if n in known and n not in given}
        secrets = [name for name, value in again.items() if MASK in json.dumps(value)]
        if secrets:
            raise InputRefused(
                f"Run {self.resumes.key} was given the secret {', '.join(map(repr, secrets))}, written nowhere.",
                cure=f"Give it again: -p {secrets[0]}=...",
            )
        return again

    def memory(self, values: DiskStore, events: EventSink, directory: Path, masker: Masker) -> RunMemory:
        """The memory of a run that may use these results; `masker` takes secrets out of what it writes down."""
        earlier = Earlier(self.resumes.directory) if self.resumes is not None else None
        entries = Entries(values.root.parent / "cache", mask=masker.references) if self.cache else None
        return RunMemory(values, events, directory, earlier=earlier, entries=entries)


def going_on_with(settings: Settings, run: str, *, cache: bool = True) -> Reuse:
    """What a run that resumes `run` (an MLflow run id, a key, or the beginning of either) may use.

    Raises:
        TargetError: there is no such run.
        InputRefused: it is still running, or has nothing left to do.
    """
    reap(settings)
    record = find_run(settings.runs, run)
    if record.status is RunStatus.RUNNING:
        raise InputRefused(f"Run {record.key} is still running.", cure="Wait for its end, or stop it.")
    if record.status is RunStatus.FINISHED and not (record.facts.get("tags") or {}).get(UNTIL):
        raise InputRefused(f"Run {record.key} has finished: nothing is left to do.", cure="Run without --resume.")
    if record.facts.get("run_kind") == "sweep":
        raise InputRefused(
            f"Run {record.key} is a sweep.", cure=f"Go on with it: p2p sweep TARGET --resume {record.key}."
        )
    if record.facts.get("run_kind") not in ("notebook", "module"):
        raise InputRefused(
            f"Run {record.key} is of the kind {record.facts.get('run_kind')}; "
            "only what `p2p run` has run can be resumed.",
            cure="Run it anew.",
        )
    return Reuse(cache=cache, resumes=record)


def check_target(reuse: Reuse, kind: str, name: str) -> None:
    """Refuse to go on with a run of another notebook or pipeline."""
    if reuse.resumes is None:
        return
    facts = reuse.resumes.facts
    if (facts.get("run_kind"), facts.get("name")) != (kind, name):
        raise TargetError(
            f"Run {reuse.resumes.key} is of the {facts.get('run_kind')} '{facts.get('name')}', "
            f"not of the {kind} '{name}'.",
            cure="Name the target that it ran.",
        )
