"""The face inside IPython: `%%step`, `%p2p`, and the hooks that make a cell a step."""

from p2p.magics.extension import load, unload

__all__ = ["load", "unload"]
