"""What code sets for a whole process: a style of plots, print options, warnings. It ends with the run that set it."""

from __future__ import annotations

import decimal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def preferences_kept() -> Iterator[None]:
    """After the block, options of matplotlib, pandas, NumPy and `decimal`, and filters of warnings, are as before it.

    Where matplotlib was first loaded in the block, its options are as it had them then; those of the others stay.
    """
    before = _matplotlib(), _pandas(), _numpy()
    loaded_here = "matplotlib" not in sys.modules
    with decimal.localcontext(), warnings.catch_warnings():
        try:
            yield
        finally:
            with ExitStack() as restored:
                warnings.simplefilter("ignore")  # of options that are to go
                for restore in before:
                    restored.callback(restore)
                if loaded_here:
                    restored.callback(_matplotlib_as_loaded)


def _nothing() -> None:
    pass


def _matplotlib() -> Callable[[], None]:
    """Puts back the settings as they are now, but for the backend: to set it would load one."""
    matplotlib: Any = sys.modules.get("matplotlib")
    return _nothing if matplotlib is None else _setting(matplotlib, matplotlib.rcParams)


def _matplotlib_as_loaded() -> None:
    matplotlib: Any = sys.modules.get("matplotlib")
    if matplotlib is not None:
        _setting(matplotlib, matplotlib.rcParamsOrig)()


def _setting(matplotlib: Any, wanted: Any) -> Callable[[], None]:
    known = {name: wanted[name] for name in wanted if not name.startswith("backend")}
    return lambda: matplotlib.rcParams.update(known)


def _pandas() -> Callable[[], None]:
    pandas: Any = sys.modules.get("pandas")
    if pandas is None:
        return _nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = dict(_options(pandas.options, ""))

    def restore() -> None:
        for name, value in known.items():
            if pandas.get_option(name) != value:
                pandas.set_option(name, value)

    return restore


def _options(options: Any, above: str) -> Iterator[tuple[str, Any]]:
    for name in dir(options):
        value = getattr(options, name)
        if isinstance(value, type(options)):
            yield from _options(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _numpy() -> Callable[[], None]:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return _nothing
    shown, errors = numpy.get_printoptions(), numpy.geterr()

    def restore() -> None:
        numpy.set_printoptions(**shown)
        numpy.seterr(**errors)

    return restore
