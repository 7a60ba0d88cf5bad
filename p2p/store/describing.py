"""What people see of a value: its type, shape and a short preview, without computing much."""

from __future__ import annotations

import reprlib
import sys
from typing import Any

from p2p.model import ValueRef
from p2p.store.naming import type_name

LONGEST = 1_000
_DEFAULT_REPR: Any = object.__repr__
_ATOMS = (float, bool, type(None))
_MANY = 20  # columns, items, characters of a cell: more does not fit a preview
_BIG = 1_000  # a container of more items inside an object: its own repr is not asked for


def describe(value: Any) -> ValueRef:
    """A reference with type, shape and preview, and nothing stored."""
    return ValueRef(type=type_name(value), shape=_shape(value), preview=preview(value))


def preview(value: Any) -> str:
    """At most 1,000 characters about a value; its own repr may raise or be huge, this does neither."""
    try:
        text = _preview(value)
    except Exception:  # noqa: BLE001 - a repr is the user's code
        text = type(value).__name__
    text = text.encode(errors="backslashreplace").decode()  # so that it can be written to a journal
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _shape(value: Any) -> tuple[int, ...]:
    if _is_frame(value) or _is_array(value):
        return tuple(int(size) for size in value.shape)
    return (len(value),) if type(value) in (list, tuple, dict, set, frozenset) else ()


def _is_frame(value: Any) -> bool:
    pd: Any = sys.modules.get("pandas")
    return pd is not None and isinstance(value, (pd.DataFrame, pd.Series))


def _is_array(value: Any) -> bool:
    np: Any = sys.modules.get("numpy")
    return np is not None and isinstance(value, np.ndarray)


def _is_figure(value: Any) -> bool:
    figure: Any = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(value, figure.Figure)


def _preview(value: Any) -> str:
    if type(value) in _ATOMS or (type(value) is int and value.bit_length() <= 64):
        return repr(value)
    if _is_frame(value):
        return _frame_preview(value)
    if _is_array(value):
        return f"{_SHORT.repr(value)}\n{_SHORT.repr1(value.ravel()[:6].tolist(), 2)}"
    if _is_figure(value):
        width, height = value.get_size_inches()
        return f"Figure, {width:g} x {height:g} inches, {len(value.axes)} axes"
    if type(value) is str:
        return repr(value[:LONGEST])
    return _SHORT.repr(value)


def _frame_preview(value: Any) -> str:
    rows = f"{len(value)} row{'' if len(value) == 1 else 's'}"
    if value.ndim == 1:
        return f"{rows}, {value.dtype}\n{value.head(3).to_string()}"
    shown = value.iloc[:3, :_MANY]
    types = ", ".join(f"{name} {dtype}" for name, dtype in zip(shown.columns, shown.dtypes, strict=True))
    more = value.shape[1] - shown.shape[1]
    types += f", and {more} more" if more else ""
    return f"{rows} x {value.shape[1]} columns\n{types[: LONGEST // 2]}\n{shown.to_string(max_colwidth=_MANY)}"


class _ShortRepr(reprlib.Repr):
    """`reprlib` that masks secrets, names frames and arrays by their shape, and asks no repr that could be huge."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = _MANY
        self.maxstring = self.maxother = 200

    def repr1(self, x: Any, level: int) -> str:
        if _is_secret(x):
            return "'**********'"
        if _is_frame(x) or _is_array(x):
            return f"{type(x).__name__}({' x '.join(map(str, x.shape))}{_dtype(x)})"
        if type(x) is int and x.bit_length() > 2_000:
            return f"an int of {x.bit_length()} bits"
        if type(x) in (bytes, bytearray):
            return f"{type(x).__name__} of {len(x)}: {bytes(x[:_MANY])!r}"
        return super().repr1(x, level)

    def repr_instance(self, x: Any, level: int) -> str:
        name = type(x).__name__
        if type(x).__repr__ is _DEFAULT_REPR or _may_be_huge(x):
            return f"{name}(...)"  # the default repr is an address, other in each process
        try:
            text = repr(x)
        except Exception:  # noqa: BLE001 - the user's code
            return name
        return text if len(text) <= self.maxother else f"{text[: self.maxother - 3]}..."


_SHORT = _ShortRepr()


def _dtype(value: Any) -> str:
    return f", {value.dtype}" if hasattr(value, "dtype") else ""


def _is_secret(value: Any) -> bool:
    secrets: Any = sys.modules.get("pydantic.types")
    return secrets is not None and isinstance(value, (secrets.SecretStr, secrets.SecretBytes, secrets.Secret))


def _may_be_huge(value: Any) -> bool:
    containers = (list, tuple, dict, set, frozenset, str, bytes)
    if isinstance(value, containers):
        return len(value) > _MANY
    fields = getattr(value, "__dict__", {})
    return any(isinstance(item, containers) and len(item) > _BIG for item in fields.values())
