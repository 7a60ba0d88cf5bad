"""Running a pipeline module."""

from p2p.runners.local import run_pipeline

__all__ = ["run_pipeline"]
