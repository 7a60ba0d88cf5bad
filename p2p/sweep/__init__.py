"""Sweeps: a target run at many points, as one parent run with a run for each point."""

from p2p.sweep.planning import Request, plan
from p2p.sweep.points import Plan, Point, PointResult, SweepInterrupted, SweepOutcome
from p2p.sweep.sources import Listed
from p2p.sweep.story import SweepOptions, run_sweep
from p2p.sweep.targets import NotebookTarget, PipelineTarget

__all__ = [
    "Listed",
    "NotebookTarget",
    "PipelineTarget",
    "Plan",
    "Point",
    "PointResult",
    "Request",
    "SweepInterrupted",
    "SweepOptions",
    "SweepOutcome",
    "plan",
    "run_sweep",
]
