"""Events to a journal on disk, and from there to MLflow."""

from p2p.tracking.driver import Driver, RunFacts
from p2p.tracking.journal import Journal, new_key, read_events
from p2p.tracking.records import RunRecord, find_run, past_runs

__all__ = ["Driver", "Journal", "RunFacts", "RunRecord", "find_run", "new_key", "past_runs", "read_events"]
