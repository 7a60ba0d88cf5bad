"""The heart: the one function through which every step runs, whoever asks."""

from p2p.execution.fallback import fallback_result, unmet
from p2p.execution.place import current_step, idempotency_key
from p2p.execution.services import EventSink, NoEvents, Services, current_services, use_services
from p2p.execution.step import arun_step, run_step
from p2p.execution.work import Outcome, Work

__all__ = [
    "EventSink",
    "NoEvents",
    "Outcome",
    "Services",
    "Work",
    "arun_step",
    "current_services",
    "current_step",
    "fallback_result",
    "idempotency_key",
    "run_step",
    "unmet",
    "use_services",
]
