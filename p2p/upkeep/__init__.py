"""What a project keeps and for how long: its past runs, which values they refer to, and pruning the others."""

from p2p.upkeep.past import PastRun, PastRuns
from p2p.upkeep.pruning import Keep, Pruned, keep_to_limit, prune
from p2p.upkeep.references import journals, run_references

__all__ = ["Keep", "PastRun", "PastRuns", "Pruned", "journals", "keep_to_limit", "prune", "run_references"]
