"""`@step`: a function as a unit of work with named inputs and outputs."""

from p2p.steps.decorator import Step, step

__all__ = ["Step", "step"]
