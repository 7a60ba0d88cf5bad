"""How things stand in Prometheus' text format: gauges that are made from the ledger each time somebody asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from p2p.scheduling.extra import needed
from p2p.scheduling.model import Tick, TickState
from p2p.scheduling.status import ScheduleStatus, Status

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
GAUGES: Final = {
    "p2p_schedule_ticks": "Ticks of a schedule by the state that they are in.",
    "p2p_schedule_running": "Ticks of a schedule that are at work.",
    "p2p_schedule_paused": "1 where the schedule is paused.",
    "p2p_schedule_last_duration_seconds": "What the last attempt took of the last tick that is done or has failed.",
    "p2p_schedule_last_start_delay_seconds": "How long after its time the last tick began that needed one attempt.",
    "p2p_schedule_waiting_seconds": "For how long the oldest tick that is due has not begun; 0 where none waits.",
    "p2p_schedule_last_success_timestamp_seconds": "When the last tick that was done ended.",
    "p2p_schedule_failing": "1 where a tick has failed and none has been done since.",
    "p2p_schedule_next_due_timestamp_seconds": "When the schedule is due next.",
    "p2p_schedulers": "Schedulers that are alive.",
    "p2p_alerts_sent": "Alerts that were sent.",
    "p2p_alerts_untold": "Alerts that are to be sent.",
    "p2p_alerts_failing": "Alerts that could not be sent, those that are given up too.",
    "p2p_scheduler_turn_age_seconds": "Seconds since this scheduler last took a turn.",
}  # fmt: skip


def metrics_of(status: Status, turn_age: float | None = None) -> bytes:
    """The metrics of a project.

    Args:
        status: how it stands.
        turn_age: seconds since this scheduler took its last turn; None where this process is none.

    Raises:
        InputRefused: prometheus_client is not installed.
    """
    client = needed("prometheus_client", "/metrics")
    registry = client.CollectorRegistry(auto_describe=False)
    gauges = {name: client.Gauge(name, told, _labels(name), registry=registry) for name, told in GAUGES.items()}
    for one in status.schedules:
        _set_schedule(gauges, one, status.at)
    gauges["p2p_schedulers"].set(len(status.schedulers))
    gauges["p2p_alerts_sent"].set(status.told)
    gauges["p2p_alerts_untold"].set(status.untold)
    gauges["p2p_alerts_failing"].set(len(status.alerts))
    if turn_age is None:
        registry.unregister(gauges["p2p_scheduler_turn_age_seconds"])
    else:
        gauges["p2p_scheduler_turn_age_seconds"].set(turn_age)
    text: bytes = client.generate_latest(registry)
    return text


def _labels(name: str) -> tuple[str, ...]:
    if not name.startswith("p2p_schedule_"):
        return ()
    return ("schedule", "state") if name == "p2p_schedule_ticks" else ("schedule",)


def _set_schedule(gauges: dict[str, Any], one: ScheduleStatus, now: datetime) -> None:
    name = one.schedule.name
    for state in TickState:
        gauges["p2p_schedule_ticks"].labels(name, str(state)).set(one.counts.get(state, 0))
    values = {
        "running": float(one.counts.get(TickState.RUNNING, 0)), "paused": float(one.paused),
        "failing": float(one.failed is not None),
        "waiting_seconds": max(0.0, (now - one.waiting.time).total_seconds()) if one.waiting is not None else 0.0,
        "last_duration_seconds": next((took for tick in one.last if (took := _took(tick)) is not None), None),
        "last_start_delay_seconds": next((late for tick in one.last if (late := _late(tick)) is not None), None),
        "last_success_timestamp_seconds": _stamp(one.succeeded.ended if one.succeeded is not None else None),
        "next_due_timestamp_seconds": _stamp(next(iter(one.next), None)),
    }  # fmt: skip
    for what, value in values.items():
        if value is not None:
            gauges[f"p2p_schedule_{what}"].labels(name).set(value)


def _took(tick: Tick) -> float | None:
    if tick.state not in (TickState.DONE, TickState.FAILED) or tick.began is None or tick.ended is None:
        return None
    return (tick.ended - tick.began).total_seconds()


def _late(tick: Tick) -> float | None:
    if tick.began is None or tick.attempts > 1 or tick.interruptions:
        return None
    return max(0.0, (tick.began - tick.time).total_seconds())


def _stamp(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment is not None else None
