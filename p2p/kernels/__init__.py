"""Kernels of runs: spawned, or forked from a process that has imported the notebook's libraries.

`provisioner` starts them for jupyter_client; `warm` picks the parent, `owner` speaks to it; `parent` and `child` are
what runs over there. `ahead` tells what may be imported ahead, `importing` what speaks against it, `stash` keeps it.
"""

from p2p.kernels.owner import NoFork
from p2p.kernels.warm import WarmKernels

__all__ = ["NoFork", "WarmKernels"]
