"""Running a pipeline module."""

from p2p.runners.local import LOCAL, run_pipeline

__all__ = ["LOCAL", "run_pipeline"]
