"""p2p takes a Jupyter notebook from prototype to production, and back.

What a notebook or a module needs is here; everything else is behind the `p2p` command. Importing this module loads
nothing else of it: each name is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from p2p.execution import idempotency_key
    from p2p.history import runs
    from p2p.pipeline import Pipeline, Task
    from p2p.policy import Policy
    from p2p.session import run
    from p2p.steps import step
    from p2p.widgets import panel

__all__ = ["Pipeline", "Policy", "Task", "__version__", "idempotency_key", "panel", "run", "runs", "step"]

_PLACES = {
    "Pipeline": "p2p.pipeline", "Policy": "p2p.policy", "Task": "p2p.pipeline", "run": "p2p.session",
    "idempotency_key": "p2p.execution", "panel": "p2p.widgets", "runs": "p2p.history", "step": "p2p.steps",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        return metadata.version("p2p-toolkit")
    if name not in _PLACES:
        raise AttributeError(f"module 'p2p' has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext p2p`: make `%%step` and `%p2p` known, and track the steps of this kernel."""
    from p2p.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext p2p`: end the run and take the magics away."""
    from p2p.magics import unload

    unload(shell)
