"""What recorded values were like: ranges, nulls and categories that were seen. Nothing is held to them.

The facts are plain data (JSON), the same for the same values. They say nothing of columns that identify somebody or
something, and hold texts only where few short ones repeat: never what a person has written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from p2p.contracts.telling import plain, rows
from p2p.secrets import Masker, environment_secrets

Facts = dict[str, Any]

_MOST: Final = 12  # more distinct texts are no categories
_MOST_COLUMNS: Final = 100  # of a wider frame the first ones speak
_LONGEST: Final = 24  # a longer text is no category's name
_LONGEST_TOGETHER: Final = 90  # so that they fit one line of contracts.py
_SEEN_TWICE: Final = 2  # on average, or a text says nothing of its column but of its row

_IDENTIFIES: Final = re.compile(
    r"(?:^|_)(?:id|ids|uuid|guid|key|token|secret|password|passwd|pwd|hash|ssn|iban|ip|address|street|email|e_?mail"
    r"|phone|mobile|fax|user|username|login|account|first_?name|last_?name|full_?name|surname|birth\w*|dob|person"
    r"|patient|customer|employee|client|author)(?:_|\d|$)|^name$",
    re.IGNORECASE,
)
_LIKE_A_KEY: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.-]{16,}|.+@.+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s.-]+")


def observe(values: Sequence[Any]) -> Facts:
    """What the frames, columns or arrays that one name stood for had in common, or had between them.

    Of a frame: by column its facts. Of a column: `min` and `max`, `values` of a few categories, and `nulls`: whether
    there were any, where its type can have some. Of an array also its `shape`. Empty where there is nothing to tell.
    """
    if all(hasattr(value, "columns") for value in values):
        return _columns(values)
    if all(hasattr(value, "dtypes") for value in values):
        return _merged([_facts(value, str(value.name or "")) for value in values])
    shapes = {tuple(value.shape) for value in values}
    shape = {"shape": list(shapes.pop())} if len(shapes) == 1 else {}
    return {**shape, **_merged([_facts(_flat(value), "") for value in values])}


def _columns(frames: Sequence[Any]) -> dict[str, Facts]:
    first, *others = (own_names(frame) for frame in frames)
    names = [name for name in first if all(name in other for other in others)]
    found = {name: _merged([_facts(frame[name], name) for frame in frames]) for name in names[:_MOST_COLUMNS]}
    return {name: facts for name, facts in found.items() if facts}


def own_names(frame: Any) -> dict[str, Any]:
    """The names that one column has alone, with their types; a name that is no text comes from the data."""
    alone = frame.dtypes[~frame.columns.duplicated(keep=False)]
    return {name: kind for name, kind in alone.items() if isinstance(name, str)}


def _flat(array: Any) -> Any:
    import pandas as pd

    return pd.Series(array.ravel() if array.dtype.kind in "biufMUS" else [])


def _facts(column: Any, name: str) -> Facts:
    known = column.dropna()
    facts: Facts = {} if identifies(name) else {**_range(known), **_categories(known)}
    return {**facts, "nulls": len(known) < len(column)} if _can_have_nulls(column.dtype) else facts


def _can_have_nulls(kind: Any) -> bool:
    import numpy as np

    return not (isinstance(kind, np.dtype) and kind.kind in "iub")


def identifies(name: str) -> bool:
    """Whether a column of this name says who or what a row is about."""
    return bool(_IDENTIFIES.search(_CAMEL.sub("_", name)))


def _range(known: Any) -> Facts:
    """The least and the greatest finite number, or time as text."""
    import pandas.api.types as types

    kind = known.dtype
    if types.is_datetime64_any_dtype(kind):
        return {"min": known.min().isoformat(), "max": known.max().isoformat()} if len(known) else {}
    if not types.is_numeric_dtype(kind) or types.is_bool_dtype(kind) or types.is_complex_dtype(kind):
        return {}
    finite = known[abs(known) < float("inf")]
    # The sum has one zero: which of -0.0 and 0.0 is the least hangs on their order.
    ends = {"min": plain(finite.min()) + 0, "max": plain(finite.max()) + 0} if len(finite) else {}
    return ends if all(type(end) in (int, float) for end in ends.values()) else {}


def _categories(known: Any) -> Facts:
    found = _category_names(known)
    short = len(found) <= _MOST and all(len(text) <= _LONGEST for text in found)
    if not found or not short or len(repr(found)) > _LONGEST_TOGETHER or any(map(_LIKE_A_KEY.fullmatch, found)):
        return {}
    return {} if Masker(environment_secrets(os.environ)).data(found) != found else {"values": found}


def _category_names(known: Any) -> list[str]:
    """The categories that were declared, or the texts that repeat; an order that was declared is kept."""
    import pandas as pd

    if isinstance(known.dtype, pd.CategoricalDtype):
        names = [str(category) for category in known.cat.categories]
        return names if known.cat.ordered else sorted(names)
    if pd.api.types.infer_dtype(known) != "string" or known.iloc[:1_000].nunique() > _MOST:
        return []
    names = sorted(known.unique())
    return names if len(names) * _SEEN_TWICE <= len(known) else []


def _merged(several: Sequence[Facts]) -> Facts:
    """One range and one set of categories for what was seen at several places of a run."""
    found: Facts = {}
    if all("min" in facts for facts in several):
        found = {"min": min(f["min"] for f in several), "max": max(f["max"] for f in several)}
    if all("values" in facts for facts in several):
        first, union = several[0]["values"], {value for facts in several for value in facts["values"]}
        found |= {"values": first if len(first) == len(union) else sorted(union)} if len(union) <= _MOST else {}
    nulls = [facts["nulls"] for facts in several if "nulls" in facts]
    return {**found, "nulls": any(nulls)} if nulls else found


def unseen(value: Any, seen: Mapping[str, Any]) -> list[str]:
    """One sentence for each fact of `observe` that a value goes beyond: what production brings and nobody has seen."""
    if not hasattr(value, "columns"):
        column = value if hasattr(value, "dtypes") else _flat(value)
        return [f"it {what}" for what in _beyond(column, seen)]
    present = [name for name in seen if name in value.columns]
    return [f"column '{name}' {what}" for name in present for what in _beyond(value[name], seen[name])]


def _beyond(column: Any, seen: Mapping[str, Any]) -> Iterator[str]:
    known = column.dropna()
    if len(known) < len(column) and not seen.get("nulls"):
        yield f"has nulls, and none were seen: {_told(column, column.isna())}"
    if "min" in seen:
        low, high = (_bound(seen[end]) for end in ("min", "max"))
        outside = (column < low) | (column > high)
        if outside.any():
            yield f"lies outside of what was seen ({seen['min']} to {seen['max']}): {_told(column, outside)}"
    if "values" in seen:
        new = column.notna() & ~column.astype(str).isin(seen["values"])
        if new.any():
            yield f"has a category that was not seen: {_told(column, new)}"


def _bound(end: Any) -> Any:
    import pandas as pd

    return pd.Timestamp(end) if isinstance(end, str) else end


def _told(column: Any, which: Any) -> str:
    count = int(which.sum())
    return rows(count, len(column), column.index[which][0], column[which].iloc[0])
