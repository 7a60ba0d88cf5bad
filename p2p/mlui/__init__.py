"""MLflow's own UI on a project's store: served on the loopback address, and where in it a run is to be seen."""

from p2p.mlui.owned import Served, address_of, serve
from p2p.mlui.places import experiment_place, run_place, told_place
from p2p.mlui.serving import command, end, environment, free_port, served_elsewhere

__all__ = [
    "Served", "address_of", "command", "end", "environment", "experiment_place", "free_port", "run_place", "serve",
    "served_elsewhere", "told_place",
]  # fmt: skip
