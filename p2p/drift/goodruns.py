"""The last good run of a notebook or a pipeline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from p2p.model import RunStatus
from p2p.upkeep import PastRuns


@dataclass(frozen=True)
class GoodRun:
    """A run that is FINISHED.

    Attributes:
        run: MLflow's run id; the key of its directory while MLflow does not know it.
        at: when it ended, in seconds since the epoch.
    """

    run: str
    at: float


def last_good_run(runs: PastRuns, verified: Collection[str] = (), **facts: str) -> GoodRun | None:
    """The newest one; None when there is none.

    Args:
        runs: of the project.
        verified: MLflow ids of the runs that proved a version. Other runs for a proof do not count: they may have
            ended well and given other values than the notebook.
        facts: values that its opening facts must have.
    """
    for run in runs.having(**facts):
        is_proof = run.purpose == "verification"
        if run.status is RunStatus.FINISHED and (not is_proof or run.run_id in verified):
            return GoodRun(run.run_id or run.key, run.at)
    return None
