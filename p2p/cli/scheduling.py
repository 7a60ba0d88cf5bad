"""`p2p schedule` at work: it adds, shows, and runs."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from p2p.cli import show
from p2p.cli.text import escape
from p2p.errors import InputRefused, nearest
from p2p.params import parse_assignments
from p2p.quantities import seconds_in
from p2p.scheduling import exports
from p2p.scheduling.adding import add, as_kept
from p2p.scheduling.addresses import shown
from p2p.scheduling.ledger import Entry, Ledger
from p2p.scheduling.model import Missed, Overlap, Schedule, Tick, TickKind, TickState
from p2p.scheduling.owners import utc_now
from p2p.scheduling.service import Service, ServiceOptions, run_ticks
from p2p.scheduling.triggers import local_zone, read_moment, times
from p2p.scheduling.unit import unit
from p2p.scheduling.watched import tested
from p2p.secrets import Masker, environment_secrets
from p2p.settings import load_settings

Choice = TypeVar("Choice", Missed, Overlap)
_MARKS: Final = {
    TickState.DONE: "[green]✓[/]", TickState.FAILED: "[red]✗[/]", TickState.RUNNING: "…", TickState.DUE: "·",
    TickState.SKIPPED: "[yellow]-[/]", TickState.REPLACED: "[yellow]■[/]", TickState.STOPPED: "[yellow]■[/]",
}  # fmt: skip
_NEXT: Final = 5


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A schedule as the command line tells it."""

    when: str
    target: str
    name: str
    params: Sequence[str]
    zone: str
    missed: str
    most: int
    window: str
    grace: str
    overlap: str
    at_once: int
    retries: int
    retry_delay: str
    timeout: str
    late: str
    alerts: Sequence[str]

    def schedule(self, target: str) -> Schedule:
        """As a schedule of this target. Raises InputRefused for what cannot be read."""
        return Schedule(
            name=self.name or Path(target.partition("@")[0]).stem, target=target, when=self.when,
            zone=self.zone or local_zone(), params=parse_assignments([*self.params]),
            missed=_choice(Missed, self.missed, "--missed"), most=self.most,
            window=seconds_in(self.window, "--window"), grace=seconds_in(self.grace, "--grace"),
            overlap=_choice(Overlap, self.overlap, "--overlap"), at_once=self.at_once, retries=self.retries,
            retry_delay=seconds_in(self.retry_delay, "--retry-delay"),
            timeout=seconds_in(self.timeout, "--timeout") if self.timeout else None,
            late=seconds_in(self.late, "--late") if self.late else None, alerts=tuple(self.alerts),
        )  # fmt: skip


def add_shown(asked: Asked, *, replace: bool, as_json: bool) -> None:
    """Add a schedule, and show when it will run."""
    settings = load_settings()
    added = add(asked.schedule(as_kept(asked.target, settings)), settings, utc_now(), replace=replace)
    if as_json:
        show.answer_json(_facts(Ledger(settings.schedules).entry(added.name)))
        return
    show.out.print(f"schedule [bold]{escape(added.name)}[/] runs {escape(added.target)}, next:")
    for moment in _coming(added, utc_now()):
        show.out.print(f"  {_local(moment, added)}")
    show.err.print("[dim]It runs while a scheduler is up: p2p schedule start[/]")


def list_shown(*, as_json: bool) -> None:
    """The schedules with their next time and their last tick."""
    ledger = Ledger(load_settings().schedules)
    entries = ledger.entries()
    if as_json:
        show.answer_json([{**_facts(entry), "last": _tick(_last(ledger, entry))} for entry in entries])
    elif not entries:
        show.out.print('no schedules: p2p schedule add "0 6 * * 1-5" TARGET')
    else:
        show.table(["name", "when", "target", "next", "last"], [_row(ledger, entry) for entry in entries])


def _row(ledger: Ledger, entry: Entry) -> list[str]:
    schedule = entry.schedule
    coming = next(iter(_coming(schedule, utc_now())), None)
    following = "paused" if entry.paused else _local(coming, schedule) if coming is not None else "never"
    last = _last(ledger, entry)
    told = f"{last.state} {_local(last.time, schedule)}" if last is not None else ""
    return [schedule.name, f"{schedule.when} ({schedule.zone})", schedule.target, following, told]


def show_one(name: str, *, as_json: bool) -> None:
    """One schedule."""
    entry = Ledger(load_settings().schedules).entry(name)
    if as_json:
        show.answer_json(_facts(entry))
        return
    for fact, value in _facts(entry).items():
        told = ", ".join(map(str, value)) if isinstance(value, list) else value
        show.out.print(f"{fact:<12} {escape(json.dumps(told) if isinstance(told, dict) else str(told))}")


def history_shown(name: str, most: int, *, as_json: bool) -> None:
    """What became of the last ticks; a removed schedule's too."""
    ledger = Ledger(load_settings().schedules)
    ticks, skipped = ledger.history(name, most), ledger.skipped(name, most)
    if not ticks and not skipped:
        ledger.entry(name)  # says so where there is no such schedule
    if as_json:
        stretches = [asdict(one) for one in skipped]
        show.answer_json({"ticks": [_tick(one) for one in ticks], "skipped": stretches})
        return
    rows = [
        (tick.time, f"{_MARKS[tick.state]} {tick.state}", "" if tick.attempts < 2 else f"{tick.attempts} attempts",
         _took(tick), tick.run_id[:8], tick.reason)
        for tick in ticks
    ]  # fmt: skip
    rows += [(one.last, f"{_MARKS[TickState.SKIPPED]} {one.count} skipped", "", "", "", one.reason) for one in skipped]
    for moment, state, attempts, took, run, reason in sorted(rows, reverse=True)[:most]:
        more = " ".join(part for part in (attempts, took, f"run {run}" if run else "") if part)
        show.out.print(f"{moment:%Y-%m-%d %H:%M:%S}Z  {state}  [dim]{more}[/]  {escape(reason)}")


def pause(name: str, *, paused: bool) -> None:
    """Pause a schedule, or let it go on."""
    Ledger(load_settings().schedules).pause(name, paused=paused)
    show.out.print(f"schedule [bold]{escape(name)}[/] {'is paused' if paused else 'goes on with its next tick'}")


def remove(name: str) -> None:
    """Remove a schedule."""
    Ledger(load_settings().schedules).remove(name, utc_now())
    show.out.print(f"schedule [bold]{escape(name)}[/] is removed; its history stays")


def run_now(name: str, *, as_json: bool) -> int:
    """Run a schedule now; gives the exit code."""
    settings = load_settings()
    ticks = Ledger(settings.schedules).ask(name, [utc_now()], TickKind.MANUAL)
    return _run(ticks, TickKind.MANUAL, 1, as_json=as_json)


def backfill(name: str, since: str, until: str, jobs: int, *, as_json: bool) -> int:
    """Run a schedule at past times; gives the exit code."""
    settings = load_settings()
    ledger = Ledger(settings.schedules)
    schedule = ledger.entry(name).schedule
    first, last = _moment(since, schedule, "--from"), _moment(until, schedule, "--to", whole_day=True)
    wanted = [*times(schedule.trigger, first - timedelta(microseconds=1), min(last, utc_now()))]
    if not wanted:
        raise InputRefused(f"Schedule '{name}' has no tick from {since} to {until}.", cure="Future ticks do not count.")
    ticks = ledger.ask(name, wanted, TickKind.BACKFILL)
    done = sum(tick.state is TickState.DONE for tick in ticks)
    if done:
        show.err.print(f"[dim]{done} of {len(ticks)} are done already[/]")
    return _run(ticks, TickKind.BACKFILL, jobs, as_json=as_json)


def _run(ticks: Sequence[Tick], kind: TickKind, jobs: int, *, as_json: bool) -> int:
    settings = load_settings()
    ended = {tick.id: tick for tick in ticks}
    for tick in run_ticks(settings, [one for one in ticks if not one.state.over], kind, at_once=jobs):
        ended[tick.id] = tick
        if not as_json:
            show.err.print(f"  {_MARKS[tick.state]} {tick.time:%Y-%m-%d %H:%M:%S}Z {_took(tick)} {escape(tick.reason)}")
    if as_json:
        show.answer_json([_tick(tick) for tick in ended.values()])
    else:
        done = sum(tick.state is TickState.DONE for tick in ended.values())
        show.out.print(f"{done} of {len(ended)} ticks done")
    return 0 if all(tick.state is TickState.DONE for tick in ended.values()) else 1


def export_shown(name: str, asked: exports.Asked, output: Path | None, *, replace: bool, as_json: bool) -> None:
    """Write a schedule for another scheduler: to a file or folder, or on stdout."""
    settings = load_settings()
    done = exports.export(Ledger(settings.schedules).entry(name).schedule, asked, settings, utc_now())
    written = exports.put(done, output, replace=replace) if output is not None else []
    if as_json:
        files = {"written": [str(path) for path in written]} if written else {"files": done.files}
        show.answer_json({**files, "notes": done.notes})
        return
    for path in written:
        show.out.print(f"written: {escape(str(path))}")
    if not written:
        sys.stdout.write(exports.together(done))
    for note in done.notes:
        show.err.print(f"[yellow]note:[/] {escape(note)}")


@dataclass(frozen=True, kw_only=True)
class Starting:
    """How the service is started, as the command line tells it."""

    at_once: int
    patience: str
    page: bool
    port: int | None

    def options(self) -> ServiceOptions:
        """For the service; what it does is told on stderr. Raises InputRefused for what cannot be read."""
        patience = seconds_in(self.patience, "--patience")
        return ServiceOptions(at_once=self.at_once, patience=patience, page=self.page, port=self.port, log=_log)

    def arguments(self) -> list[str]:
        """For the command line again."""
        port = [] if self.port is None else ["--port", str(self.port)]
        page = port if self.page else ["--no-page"]
        return ["--at-once", str(self.at_once), "--patience", self.patience, *page]


def start(starting: Starting) -> None:
    """Run the service until it is stopped; a line of JSON on stderr for each thing that it does."""
    settings = load_settings()
    service = Service(settings, starting.options())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: service.stop())
    _log("scheduler started", project=str(settings.root), schedules=len(service.ledger.entries()))
    service.run()
    _log("scheduler ended")


def print_unit(starting: Starting) -> None:
    """Print a unit by which systemd runs the service."""
    patience = starting.options().patience
    sys.stdout.write(unit(load_settings().root, starting.arguments(), patience))


def test_alert(name: str) -> int:
    """Send a test to the addresses of a schedule; gives the exit code."""
    answers = tested(load_settings(), name)
    for address, problem in answers:
        mark = _MARKS[TickState.FAILED if problem else TickState.DONE]
        show.out.print(f"{mark} {escape(address)}{f': {escape(problem)}' if problem else ''}")
    return 1 if any(problem for _, problem in answers) else 0


def _log(event: str, **facts: object) -> None:
    """A line of JSON, in which no secret of the environment stands."""
    told = {"at": utc_now().isoformat(timespec="milliseconds"), "event": event, **facts}
    masked = Masker(environment_secrets(os.environ)).data({k: v for k, v in told.items() if v not in ("", None)})
    sys.stderr.write(json.dumps(masked, default=str) + "\n")
    sys.stderr.flush()


def _choice(kind: type[Choice], text: str, option: str) -> Choice:
    try:
        return kind(text)
    except ValueError:
        close = nearest(text, [str(one) for one in kind])
        known = ", ".join(map(str, kind))
        raise InputRefused(
            f"{option} {text!r:.40} is not known.", cure=f"Closest: {close}." if close else f"There are: {known}."
        ) from None


def _moment(text: str, schedule: Schedule, option: str, *, whole_day: bool = False) -> datetime:
    """A date or time in the schedule's zone; the end of a date where the whole day is meant."""
    if whole_day and len(text) <= len("2026-01-31"):
        text = f"{text}T{time.max}"
    return read_moment(text, schedule.zone, option)


def _coming(schedule: Schedule, now: datetime) -> list[datetime]:
    return [*islice(times(schedule.trigger, now, now + timedelta(days=3660)), _NEXT)]


def _last(ledger: Ledger, entry: Entry) -> Tick | None:
    return next(iter(ledger.history(entry.schedule.name, 1)), None)


def _local(moment: datetime, schedule: Schedule) -> str:
    return f"{moment.astimezone(ZoneInfo(schedule.zone)):%a %Y-%m-%d %H:%M:%S %Z}"


def _took(tick: Tick) -> str:
    return f"{(tick.ended - tick.began).total_seconds():.1f} s" if tick.began and tick.ended else ""


def _facts(entry: Entry) -> dict[str, Any]:
    coming = [moment.isoformat() for moment in _coming(entry.schedule, utc_now())]
    alerts = [shown(address) for address in entry.schedule.alerts]
    return {**asdict(entry.schedule), "alerts": alerts, "paused": entry.paused, "next": coming}


def _tick(tick: Tick | None) -> dict[str, Any] | None:
    return None if tick is None else {name: value for name, value in asdict(tick).items() if name != "owner"}
