"""p2p takes a Jupyter notebook from prototype to production, and back.

What a notebook or a module needs is here; everything else is behind the `p2p` command. Importing this module loads no
heavy library.
"""

from __future__ import annotations

from importlib import metadata as _metadata
from typing import TYPE_CHECKING, Any

from p2p.execution import idempotency_key
from p2p.pipeline import Pipeline, Task
from p2p.policy import Policy
from p2p.session import run
from p2p.step import step

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Pipeline", "Policy", "Task", "__version__", "idempotency_key", "run", "step"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _metadata.version("p2p-toolkit")
    raise AttributeError(f"module 'p2p' has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext p2p`: make `%%step` and `%p2p` known, and track the steps of this kernel."""
    from p2p.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext p2p`: end the run and take the magics away."""
    from p2p.magics import unload

    unload(shell)
