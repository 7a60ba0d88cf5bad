"""How values of library types are written in a pickle that is equal for equal values, and which must not be written."""

from __future__ import annotations

import contextlib
import copyreg
import pickle
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from p2p.store import by_value, restore
from p2p.store.arrays import canonical
from p2p.store.frames import FormerFrameCodec
from p2p.store.parquet import write

_SET_REDUCERS: tuple[Any, ...] = (set.__reduce__, frozenset.__reduce__)


class Reducers:
    """How to write an object, asked by its type: canonical forms, refusals, then `copyreg`'s table.

    The pickler asks for every type that it has no built-in way to write.
    """

    def __init__(self, ordered: Callable[[Iterable[Any]], list[Any]], *, in_class: bool) -> None:
        self._ordered = ordered
        self._in_class = in_class
        self._known: dict[type, Callable[[Any], Any] | None] = {}

    def get(self, kind: type, absent: Any = None) -> Any:
        """The reducer; `absent` where there is none, which from Python 3.13 on is a mark of the pickler's own."""
        if kind not in self._known:
            self._known[kind] = self._find(kind)
        found = self._known[kind]
        return absent if found is None else found

    def _find(self, kind: type) -> Callable[[Any], Any] | None:
        found = _refusal(kind) or _canonical_reducer(kind)
        if issubclass(kind, (set, frozenset)) and getattr(kind, "__reduce__", None) in _SET_REDUCERS:
            found = self._reduce_set
        if found is None and (self._in_class or kind is types.CellType):
            found = by_value.class_member_reducer(kind)
        return found or copyreg.dispatch_table.get(kind)

    def _reduce_set(self, items: Any) -> Any:
        """A subclass of set: its own reduce lists the items in hash order."""
        func, (listed,), *rest = items.__reduce_ex__(5)
        return (func, (self._ordered(listed),), *rest)


def _refusal(kind: type) -> Callable[[Any], Any] | None:
    """A function that refuses, for types that pickle would write although they must not be stored."""
    if _is_secret(kind):
        return _refuse("a secret is never written down")
    artist: Any = sys.modules.get("matplotlib.artist")
    if artist is not None and issubclass(kind, artist.Artist):
        return _refuse(f"a matplotlib {kind.__name__} is part of a drawing; give the figure as a value of its own")
    return None


def _is_secret(kind: type) -> bool:
    secrets: Any = sys.modules.get("pydantic.types")
    return secrets is not None and issubclass(kind, (secrets.SecretStr, secrets.SecretBytes, secrets.Secret))


def _refuse(reason: str) -> Callable[[Any], Any]:
    def refuse(_: Any) -> Any:
        raise pickle.PicklingError(reason)

    return refuse


def _canonical_reducer(kind: type) -> Callable[[Any], Any] | None:
    if kind is types.ModuleType:
        return _reduce_module
    if kind is types.CodeType:
        return by_value.code_parts
    np: Any = sys.modules.get("numpy")
    if np is not None and kind is np.ndarray:
        return _reduce_array
    if np is not None and kind is np.ufunc:
        return _reduce_ufunc
    vectorizers: Any = sys.modules.get("sklearn.feature_extraction.text")
    if vectorizers is not None and issubclass(kind, vectorizers.CountVectorizer):
        # The address of its stop words, kept only to skip a check that was made before.
        return lambda vectorizer: _reduce_without(vectorizer, {"_stop_words_id"})
    pd: Any = sys.modules.get("pandas")
    if pd is not None and kind in (pd.DataFrame, pd.Series):
        return _reduce_frame
    if pd is not None and issubclass(kind, pd.api.extensions.ExtensionArray):
        return lambda array: _reduce_without(array, {"_cache", "_readonly"})
    pa: Any = sys.modules.get("pyarrow")
    return _reduce_text_array if pa is not None and kind in (pa.StringArray, pa.LargeStringArray) else None


def _reduce_module(module: types.ModuleType) -> Any:
    if getattr(module, "__spec__", None) is None or module.__name__ == "__main__":
        raise pickle.PicklingError(f"module '{module.__name__}' cannot be imported elsewhere")
    return restore.module, (module.__name__,)


def _reduce_array(array: Any) -> Any:
    """An array in C order, always writable. Objects inside, and types without a buffer, go numpy's own way."""
    array = canonical(array) if not array.dtype.hasobject else array.copy(order="C")
    if array.dtype.hasobject or array.dtype.kind not in "biufcmMSUV":
        return array.__reduce_ex__(5)
    return restore.array, (array.dtype, array.shape, bytearray(array.tobytes()))


def _reduce_ufunc(ufunc: Any) -> Any:
    # Pickle would look through all loaded modules, and find it under the one that was imported first.
    name = str(ufunc.__name__)
    for module in map(sys.modules.get, ("numpy", "scipy.special")):
        if getattr(module, name, None) is ufunc:
            return getattr, (module, name)
    return name


def _reduce_without(value: Any, attributes: set[str]) -> Any:
    """As the value reduces itself, without attributes that say nothing about it."""
    parts = value.__reduce_ex__(5)
    if len(parts) < 3:
        return parts
    func, args, state, *rest = parts
    if isinstance(state, tuple):
        return func, args, tuple(_dict_without(item, attributes) for item in state), *rest
    return func, args, _dict_without(state, attributes), *rest


def _dict_without(state: Any, attributes: set[str]) -> Any:
    return {name: item for name, item in state.items() if name not in attributes} if type(state) is dict else state


def _reduce_frame(frame: Any) -> Any:
    """A frame as Parquet, else column by column: pandas' own pickle shows the layout of its blocks."""
    codec = FormerFrameCodec()  # so that pickles keep the digests that earlier versions gave them
    with contextlib.suppress(Exception):  # what Parquet refuses is pickled, which says its own reason
        if codec.accepts(frame):
            return restore.frame, (codec.encode(frame),)
    extras = (frame.attrs, frame.flags.allows_duplicate_labels)
    if frame.ndim == 1:
        return restore.series_of, (
            frame.array if _is_extension(frame) else frame.to_numpy(),
            frame.index,
            frame.name,
            *extras,
        )
    return restore.frame_of, (_matrix_or_columns(frame), frame.index, frame.columns, *extras)


def _matrix_or_columns(frame: Any) -> Any:
    columns = [frame.iloc[:, position] for position in range(frame.shape[1])]
    if columns and len(set(frame.dtypes)) == 1 and not _is_extension(columns[0]):
        return frame.to_numpy()
    return [column.array if _is_extension(column) else column.to_numpy() for column in columns]


def _is_extension(column: Any) -> bool:
    import numpy as np

    return not isinstance(column.dtype, np.dtype)


def _reduce_text_array(array: Any) -> Any:
    # In Arrow's own pickle a slice keeps its neighbours' text.
    import pyarrow as pa

    return restore.text_array, (write(pa.table([array], names=["text"])),)
