"""Copies of several values, as a worker gets them: arrays that show the same memory still do.

Copied one by one, each would have memory of its own, and a change to one would no longer show in the others.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from p2p.cache.sharing import held
from p2p.store import restore
from p2p.store.constants import place_of


def copies(values: Mapping[str, Any]) -> dict[str, Any]:
    """Copies that share objects and memory with each other as the values do.

    A value that cannot be pickled is passed on itself; so is one that holds a figure or a part of one, which pyplot
    knows and would know twice, and within a copy what a library knows by its identity.
    """
    own = {name: value for name, value in values.items() if not any(map(_is_drawing, held({name: value})[name]))}
    try:
        made = _copied(own)
    except Exception:  # noqa: BLE001  # pickling runs the values' own code
        made = _copied({name: value for name, value in own.items() if _can_be_copied(value)})
    return {**values, **made}


def _copied(values: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = pickle.loads(dumped(values, values))  # noqa: S301  # our own bytes
    return made


def _can_be_copied(value: Any) -> bool:
    try:
        pickle.loads(dumped(value))  # noqa: S301
    except Exception:  # noqa: BLE001  # as above
        return False
    return True


def dumped(whole: Any, values: Mapping[str, Any] | None = None) -> bytes:
    """`whole`, pickled with cloudpickle, so that the arrays in `values`, which it holds, share memory when loaded."""
    import cloudpickle

    found = held(values or {})
    shared = {id(array): root for array, root in _sharing(one for objects in found.values() for one in objects)}

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, one: Any) -> Any:
            root = shared.get(id(one))
            if root is not None and root is not one:
                return _shown, (root, *_place(one, root))
            place = place_of(one)
            if place is not None:
                return restore.library_constant, place
            return _owned(one) or super().reducer_override(one)

    buffer = io.BytesIO()
    Pickler(buffer).dump(whole)
    return buffer.getvalue()


def _owned(one: Any) -> tuple[Any, ...] | None:
    """How to make a copy of an array that owns its memory, as pickle's own need not; None for anything else."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or type(one) is not numpy.ndarray or one.dtype.hasobject or not one.size:
        return None
    order = "F" if one.flags.f_contiguous and not one.flags.c_contiguous else "C"
    return _filled, (one.tobytes(order), one.shape, one.dtype, order, one.flags.writeable)


def _filled(data: bytes, shape: Any, dtype: Any, order: Any, writeable: bool) -> Any:
    import numpy as np

    array = np.ndarray(shape, dtype, buffer=data, order=order).copy(order)
    array.flags.writeable = writeable
    return array


def _is_drawing(one: Any) -> bool:
    artist: Any = sys.modules.get("matplotlib.artist")
    return artist is not None and isinstance(one, artist.Artist)


def _sharing(objects: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """The arrays that show memory which another one of them shows, each with the array that has the whole of it."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return
    arrays = {id(one): one for one in objects if type(one) is numpy.ndarray and not one.dtype.hasobject}
    roots = {place: _root(array, numpy) for place, array in arrays.items()}
    users = Counter(map(id, roots.values()))
    for place, array in arrays.items():
        root = roots[place]
        if users[id(root)] > 1 and type(root) is numpy.ndarray and (root.flags.c_contiguous or root.flags.f_contiguous):
            yield array, root


def _root(array: Any, numpy: Any) -> Any:
    while isinstance(array.base, numpy.ndarray):
        array = array.base
    return array


def _place(array: Any, root: Any) -> tuple[Any, ...]:
    """Where in the memory of `root` an array lies: what `_shown` takes."""
    offset = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return offset, array.shape, array.strides, array.dtype, array.flags.writeable


def _shown(root: Any, offset: int, shape: Any, strides: Any, dtype: Any, writeable: bool) -> Any:
    """An array that shows a part of the memory of `root`."""
    import numpy as np

    whole = root if root.flags.c_contiguous else root.T
    array = np.ndarray(shape, dtype, buffer=whole, offset=offset, strides=strides)
    array.flags.writeable = writeable and array.flags.writeable
    return array
