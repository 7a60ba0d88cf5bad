"""Past runs as objects: what they gave, value by value, each loaded when it is asked for; and one beside the other."""

from p2p.history.comparing import Comparison, Difference, compare
from p2p.history.listing import Runs, newest_first, runs
from p2p.history.run import PastStep, Run
from p2p.history.summaries import Summaries, Summary

__all__ = [
    "Comparison",
    "Difference",
    "PastStep",
    "Run",
    "Runs",
    "Summaries",
    "Summary",
    "compare",
    "newest_first",
    "runs",
]
