"""MLflow's client without what it loads and does not need: it does without pandas, SciPy and others in its skinny form.

Importing MLflow takes two seconds of processor time, of which these take a quarter, and 85 MB, in each process that
feeds it. Its own modules do without them where they are not installed; so to those, and to nobody else, they are not.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Final

LEFT_OUT: Final = frozenset({"numpy", "pandas", "pyarrow", "scipy"})
_MACHINERY: Final = ("importlib", "p2p.tracking.light")


class _NotForMlflow(MetaPathFinder):
    """Says that they are not there, where a module of MLflow's asks."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in LEFT_OUT and _asks().partition(".")[0] == "mlflow":
            raise ModuleNotFoundError(f"No module named {fullname!r}: MLflow's client does without", name=fullname)
        return None


def _asks() -> str:
    """The name of the module whose import statement is at work."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_MACHINERY):
        frame = frame.f_back
    return "" if frame is None else str(frame.f_globals.get("__name__"))


@contextmanager
def to_stay() -> Iterator[None]:
    """What is loaded in the block stays: it is not looked through for garbage, neither meanwhile nor ever after.

    The collector would spend a seventh of the time that MLflow takes to load.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def load_light() -> None:
    """From now on, let MLflow be imported without them; for a process that does nothing but feed it."""
    sys.meta_path.insert(0, _NotForMlflow())
