"""Drift: versions beside each other and beside their notebook, and edits by hand brought back into it."""

from p2p.drift.differences import Change, StepChange, ValueChange, VersionDiff
from p2p.drift.diffing import diff
from p2p.drift.goodruns import GoodRun
from p2p.drift.pulling import Pulled, pull, write_cells
from p2p.drift.standing import Drift, Standing, standing

__all__ = [
    "Change",
    "Drift",
    "GoodRun",
    "Pulled",
    "Standing",
    "StepChange",
    "ValueChange",
    "VersionDiff",
    "diff",
    "pull",
    "standing",
    "write_cells",
]
