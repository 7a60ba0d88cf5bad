"""What a project keeps and for how long: which values its runs refer to, and pruning the others."""

from p2p.upkeep.pruning import Keep, Pruned, keep_to_limit, prune
from p2p.upkeep.references import run_references

__all__ = ["Keep", "Pruned", "keep_to_limit", "prune", "run_references"]
