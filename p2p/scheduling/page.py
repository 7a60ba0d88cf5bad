"""The status page: one HTML document that needs no script and loads nothing. Every text from outside is escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib import resources
from typing import Final

from markupsafe import Markup

from p2p.markup import joined, link, text
from p2p.scheduling.messages import time_text, way_in
from p2p.scheduling.model import AlertState, Tick, TickState
from p2p.scheduling.status import AlertStatus, Health, ScheduleStatus, Status

REFRESH: Final = 15  # seconds
_STYLE: Final = (resources.files("p2p.scheduling") / "page.css").read_text(encoding="utf-8")
STYLE_SOURCE: Final = f"'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
_TICKS: Final = {
    TickState.DONE: ("✓", "good"), TickState.FAILED: ("✗", "bad"), TickState.RUNNING: ("…", "busy"),
    TickState.DUE: ("·", "busy"), TickState.SKIPPED: ("–", "off"), TickState.REPLACED: ("■", "warn"),
    TickState.STOPPED: ("■", "warn"),
}  # fmt: skip
_UNITS: Final = (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_PAGE: Final = Markup(
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{refresh}'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head><body>'
    '<header><div class="top"><h1><span class="quiet">p2p</span> {project}</h1>{beside}</div>{banner}</header>'
    "<main>{main}</main><footer>{footer}</footer></body></html>\n"
)


@dataclass(frozen=True)
class Links:
    """Where runs are to be seen.

    Attributes:
        mlflow: the address of MLflow's UI; empty where none is known.
        run: the address of a run, by its key; empty for none.
    """

    mlflow: str
    run: Callable[[str], str]


def page_of(status: Status, problem: str, links: Links, *, still: bool = False) -> str:
    """The page.

    Args:
        status: how things stand.
        problem: what is wrong with the scheduler; empty for nothing.
        links: where runs are to be seen.
        still: whether it stays as it is, and does not load itself again.
    """
    refresh = Markup() if still else Markup('<meta http-equiv="refresh" content="{}">').format(REFRESH)
    main = joined((
        _section("Schedules", _schedules(status, links)), _section("Notebooks and pipelines", _health(status)),
        _section("Alerts that could not be sent", _alerts(status)), _section("Schedulers", _schedulers(status)),
    ))  # fmt: skip
    return str(_PAGE.format(
        title=text(f"{_summary(status, problem)[0]} · {status.project} · p2p"), refresh=refresh,
        style=Markup(_STYLE), project=text(status.project), beside=_beside(links), banner=_banner(status, problem),
        main=main, footer=_footer(status, still=still),
    ))  # fmt: skip


def _section(title: str, inside: Markup) -> Markup:
    return Markup("<section><h2>{}</h2>{}</section>").format(text(title), inside)


def _beside(links: Links) -> Markup:
    return link(links.mlflow, "MLflow's UI") if links.mlflow else Markup()


def _summary(status: Status, problem: str) -> tuple[str, str]:
    """How it all stands, in a line, and the colour of that."""
    failing = [one.schedule.name for one in status.schedules if one.failed is not None]
    if problem:
        return problem[:1].upper() + problem[1:], "bad"
    if failing:
        return f"{len(failing)} of {len(status.schedules)} schedules failing", "bad"
    if status.alerts:
        return f"{_many(len(status.alerts), 'alert')} could not be sent", "warn"
    return ("All is well", "good") if status.schedules else ("No schedules", "off")


def _banner(status: Status, problem: str) -> Markup:
    told, colour = _summary(status, problem)
    names = [one.schedule.name for one in status.schedules if one.failed is not None]
    failing = joined((Markup('<a href="#schedule-{}">{}</a>').format(text(name), text(name)) for name in names), ", ")
    more = Markup(": {}").format(failing) if names and not problem else Markup()
    return Markup('<p class="banner {}" role="status">{}{}</p>').format(colour, text(told), more)


def _footer(status: Status, *, still: bool) -> Markup:
    told = "does not refresh" if still else f"refreshes every {REFRESH} s"
    other = Markup('<a href="/">refresh it</a>') if still else Markup('<a href="/?still">stop that</a>')
    return Markup(
        'As of {}; {} ({}). For programs: <a href="/health">/health</a>, <a href="/metrics">/metrics</a>.'
    ).format(text(time_text(status.at, "UTC")), text(told), other)


# -- schedules


def _schedules(status: Status, links: Links) -> Markup:
    if not status.schedules:
        return _empty(Markup('No schedules yet: <code>p2p schedule add "0 6 * * 1-5" TARGET</code>'))
    failing_first = sorted(status.schedules, key=lambda one: one.failed is None)
    cards = joined(_card(one, status.at, links) for one in failing_first)
    return Markup('<div class="cards">{}</div>').format(cards)


def _card(one: ScheduleStatus, now: datetime, links: Links) -> Markup:
    schedule = one.schedule
    name, colour = _standing(one)
    facts = {
        "when": Markup("{} <span class='quiet'>({})</span>").format(text(schedule.when), text(schedule.zone)),
        "runs": Markup("<code>{}</code>").format(text(schedule.target)),
        "next": _next(one, now),
        "last ticks": _ticks(one),
        "last": _last(one, now, links),
    }
    rows = joined(Markup("<dt>{}</dt><dd>{}</dd>").format(text(fact), told) for fact, told in facts.items() if told)
    return Markup(
        '<article class="card" id="schedule-{}"><div class="head"><h3>{}</h3><span class="badge {}">{}</span></div>'
        "<dl>{}</dl>{}</article>"
    ).format(text(schedule.name), text(schedule.name), colour, text(name), rows, _failure(one, now, links))


def _standing(one: ScheduleStatus) -> tuple[str, str]:
    """How a schedule stands, in a word or two, and its colour."""
    if one.failed is not None:
        return "failing", "bad"
    if one.paused:
        return "paused", "off"
    if one.counts.get(TickState.RUNNING, 0):
        return "at work", "busy"
    return ("good", "good") if one.succeeded is not None else ("has not run yet", "off")


def _next(one: ScheduleStatus, now: datetime) -> Markup:
    if one.paused:
        return text("not while it is paused")
    if not one.next:
        return text("never")
    first, *more = [time_text(moment, one.schedule.zone) for moment in one.next]
    then = f", then {', '.join(more)}" if more else ""
    return Markup('{} <span class="quiet">(in {}){}</span>').format(
        text(first), text(_long((one.next[0] - now).total_seconds())), text(then)
    )


def _ticks(one: ScheduleStatus) -> Markup:
    if not one.last:
        return Markup()
    squares = joined(_square(tick, one.schedule.zone) for tick in reversed(one.last))
    return Markup('<ol class="ticks" aria-label="the last ticks, the latest last">{}</ol>').format(squares)


def _square(tick: Tick, zone: str) -> Markup:
    mark, colour = _TICKS[tick.state]
    told = text(f"{time_text(tick.time, zone)}: {_how(tick)}")
    return Markup(
        '<li class="{}" title="{}"><span aria-hidden="true">{}</span><span class="aside">{}</span></li>'
    ).format(colour, told, mark, told)


def _how(tick: Tick) -> str:
    """How a tick stands or ended, in words."""
    took = _long((tick.ended - tick.began).total_seconds()) if tick.began and tick.ended else ""
    reason = tick.reason.splitlines()[0][:100] if tick.reason and tick.state is not TickState.FAILED else ""
    attempts = f"{tick.attempts} attempts" if tick.attempts > 1 else ""
    return ", ".join(part for part in (str(tick.state), f"took {took}" if took else "", attempts, reason) if part)


def _last(one: ScheduleStatus, now: datetime, links: Links) -> Markup:
    tick = next((tick for tick in one.last if tick.began is not None), None)
    if tick is None:
        return Markup()
    ago = f" ({_long((now - tick.ended).total_seconds())} ago)" if tick.ended is not None else ""
    return Markup('{}: {}<span class="quiet">{}</span>{}').format(
        text(time_text(tick.time, one.schedule.zone)), text(_how(tick)), text(ago), _run(tick, links)
    )


def _run(tick: Tick, links: Links) -> Markup:
    if not tick.run_id:
        return Markup()
    address = links.run(tick.run) if tick.run else ""
    named = f"run {tick.run_id[:8]}"
    return Markup(", {}").format(link(address, named) if address else text(named))


def _failure(one: ScheduleStatus, now: datetime, links: Links) -> Markup:
    tick = one.failed
    if tick is None:
        return Markup()
    step = f", in step {tick.step}" if tick.step else ""
    command = way_in(tick.run_id or tick.run, tick.step)
    debug = Markup("<p>Open it: <code>{}</code></p>").format(text(command)) if command else Markup()
    ago = f"{_long((now - tick.ended).total_seconds())} ago" if tick.ended is not None else ""
    return Markup('<div class="failure"><p>Failed {}{}{}</p><pre tabindex="0">{}</pre>{}</div>').format(
        text(ago), text(step), _run(tick, links), text(one.error), debug
    )


# -- what stands below


def _health(status: Status) -> Markup:
    if not status.health:
        return _empty("Nothing has run yet.")
    return _table(("name", "state", "last good run"), (_health_row(one, status.at) for one in status.health))


def _health_row(one: Health, now: datetime) -> Sequence[object]:
    good = _when(one.good.at, now) if one.good is not None else "none"
    if one.failing is None:
        badge = ("good", "good") if one.good is not None else ("ended early", "off")
        return one.name, _badge(*badge), good
    return one.name, joined((_badge("failing", "bad"), f" since {_when(one.failing.at, now)}")), good


def _alerts(status: Status) -> Markup:
    if not status.alerts:
        return _empty(f"None. {_many(status.told, 'alert')} sent.")
    columns = ("schedule", "what", "to", "tries", "problem", "next try")
    return _table(columns, (_alert_row(one) for one in status.alerts))


def _alert_row(one: AlertStatus) -> Sequence[object]:
    alert = one.alert
    again = time_text(alert.not_before, "UTC") if alert.state is AlertState.DUE else "none, given up"
    what = f"{alert.news.kind}, {time_text(alert.news.time, alert.news.zone)}"
    return alert.news.schedule, what, one.address, alert.tries, alert.problem, again


def _schedulers(status: Status) -> Markup:
    if not status.schedulers:
        return _empty(Markup("None is up: <code>p2p schedule start</code>"))
    rows = ((name, f"{_long((status.at - beat).total_seconds())} ago") for name, beat in status.schedulers.items())
    return _table(("scheduler", "last seen"), rows)


def _badge(name: str, colour: str) -> Markup:
    return Markup('<span class="badge {}">{}</span>').format(colour, text(name))


def _table(columns: Iterable[str], rows: Iterable[Sequence[object]]) -> Markup:
    head = joined(Markup('<th scope="col">{}</th>').format(text(one)) for one in columns)
    body = joined(
        Markup("<tr>{}</tr>").format(joined(Markup("<td>{}</td>").format(text(one)) for one in row)) for row in rows
    )
    return Markup(
        '<div class="wide" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(head, body)


def _empty(told: object) -> Markup:
    return Markup('<p class="empty">{}</p>').format(text(told))


def _when(at: float, now: datetime) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{time_text(moment, 'UTC')} ({_long((now - moment).total_seconds())} ago)"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _long(seconds: float) -> str:
    """A stretch of time in its two largest units: `3 h 20 min`."""
    if 0 < seconds < 10:
        return f"{seconds:.1f} s"
    left, parts = round(max(0.0, seconds)), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(_many(count, unit) if unit == "day" else f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
