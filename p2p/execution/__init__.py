"""The heart: the one function through which every step runs, whoever asks."""

from p2p.execution.fallback import fallback_result, unmet
from p2p.execution.late import Late, Namespace
from p2p.execution.mapping import Call, Tally, items_of, map_here, mapped_code
from p2p.execution.memory import Memory, NoMemory, Recalled, StepMemory
from p2p.execution.place import current_step, idempotency_key
from p2p.execution.services import EventSink, NoEvents, Services, by_step, current_services, use_services
from p2p.execution.step import arun_step, run_step
from p2p.execution.work import Code, Outcome, Work

__all__ = [
    "Call",
    "Code",
    "EventSink",
    "Late",
    "Memory",
    "Namespace",
    "NoEvents",
    "NoMemory",
    "Outcome",
    "Recalled",
    "Services",
    "StepMemory",
    "Tally",
    "Work",
    "arun_step",
    "by_step",
    "current_services",
    "current_step",
    "fallback_result",
    "idempotency_key",
    "items_of",
    "map_here",
    "mapped_code",
    "run_step",
    "unmet",
    "use_services",
]
