"""The heart: the one function through which every step runs, whoever asks."""

from p2p.execution.services import EventSink, NoEvents, Services, current_services, use_services
from p2p.execution.step import Outcome, Work, arun_step, current_step, run_step

__all__ = [
    "EventSink",
    "NoEvents",
    "Outcome",
    "Services",
    "Work",
    "arun_step",
    "current_services",
    "current_step",
    "run_step",
    "use_services",
]
