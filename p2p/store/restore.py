"""The names that stored pickles call when they are loaded. Never rename or move one: old values would not load."""

from __future__ import annotations

import importlib
import pickle
import sys
import types
from typing import Any


def array(dtype: Any, shape: tuple[int, ...], data: Any) -> Any:
    """A writable array over its own bytes."""
    import numpy as np

    return np.ndarray(shape, dtype, buffer=data)


def frame(data: bytes) -> Any:
    """A DataFrame or Series."""
    from p2p.store.frames import FormerFrameCodec

    return FormerFrameCodec().decode(data)


def series_of(values: Any, index: Any, name: Any, attrs: dict[Any, Any], duplicates: bool) -> Any:
    """A Series that Parquet could not hold."""
    import pandas as pd

    series = pd.Series(values, index=index, name=name, dtype=values.dtype)
    series.attrs.update(attrs)
    return series if duplicates else series.set_flags(allows_duplicate_labels=False)


def frame_of(values: Any, index: Any, columns: Any, attrs: dict[Any, Any], duplicates: bool) -> Any:
    """A DataFrame that Parquet could not hold: a matrix, or a list of columns."""
    import pandas as pd

    if isinstance(values, list):
        series = {at: pd.Series(column, index=index, dtype=column.dtype) for at, column in enumerate(values)}
        made = pd.DataFrame(series, index=index)
        made.columns = columns
    else:
        made = pd.DataFrame(values, index=index, columns=columns, dtype=values.dtype)
    made.attrs.update(attrs)
    return made if duplicates else made.set_flags(allows_duplicate_labels=False)


def text_array(data: bytes) -> Any:
    """An Arrow array of strings."""
    from p2p.store.parquet import read

    return read(data).column(0).combine_chunks()


def module(name: str) -> types.ModuleType:
    """A module, imported."""
    return importlib.import_module(name)


def builtin_type(name: str) -> Any:
    """A type that only the module `types` names."""
    return getattr(types, name)


def library_constant(module: str, name: str) -> Any:
    """What a library knows by its identity alone, from where the library has it."""
    return getattr(importlib.import_module(module), name)


def notebook_class(name: str, qualname: str, blob: bytes) -> Any:
    """A class that a notebook defined: the one this process has under that name, else one rebuilt from `blob`.

    The first so that a value loaded in the notebook is an instance of the notebook's own class; the second so that it
    loads anywhere else.
    """
    found: Any = sys.modules.get(name)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type):
        return found
    if not blob:
        raise AttributeError(f"class '{qualname}' is defined in a notebook, whose cell has not run in this process")
    return pickle.loads(blob)  # noqa: S301 - part of a pickle that was checked and is being loaded
