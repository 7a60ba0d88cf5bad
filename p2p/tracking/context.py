"""The plug-in by which MLflow asks for tags of a new run (entry point `mlflow.run_context_provider`).

MLflow loads it while it is being imported, which is the moment to put the guard in: a notebook that imports MLflow and
starts a run in one and the same cell is then guarded too. Must stay light, and must not import MLflow.
"""

from __future__ import annotations

import os

from p2p.tracking import guard


class P2PRunContext:
    """Tags for runs that a user starts inside one of ours; has the shape of MLflow's RunContextProvider."""

    def __init__(self) -> None:
        guard.install()

    def in_context(self) -> bool:
        """Whether this process works for a p2p run."""
        return bool(os.environ.get("P2P_RUN"))

    def tags(self) -> dict[str, str]:
        """The p2p run that a run was started from."""
        return {"p2p.started_from": os.environ.get("P2P_RUN", "")}
