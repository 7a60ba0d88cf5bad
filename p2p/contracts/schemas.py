"""Frames and columns held against pandera's schemas, and what pandera finds, in sentences."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from p2p.contracts.telling import all_rows, rows, shown, type_name

_OF_WHOLES = {"DataFrameSchema": "pandas.DataFrame", "SeriesSchema": "pandas.Series"}


def schema_problems(value: Any, schema: Any) -> list[str]:
    """One sentence for each broken rule of a schema, with its count and an example."""
    from pandera.errors import SchemaError, SchemaErrors

    try:
        schema.validate(value, lazy=True)
    except SchemaErrors as errors:
        return list(_sentences(errors.failure_cases, value))
    except TypeError:
        wanted = _OF_WHOLES.get(type(schema).__name__, type(schema).__name__)
        return [f"expected {wanted}, got {type_name(type(value))}"]
    except SchemaError as error:
        return [str(error).splitlines()[0]]
    return []


def _sentences(cases: Any, value: Any) -> Iterator[str]:
    """What pandera calls failure cases: a row for each row of the value, or for its whole, that breaks a rule."""
    absent = cases["check"] == "column_in_dataframe"
    yield from (f"column '{column}' is missing" for column in cases.loc[absent, "failure_case"])
    for (column, rule), broken in cases[~absent].groupby(["column", "check"], dropna=False, sort=False):
        whole = broken["index"].isna().all()
        example = broken["failure_case"].iloc[0]
        label = _label(broken["index"].iloc[0], value)
        where = "" if whole else f": {rows(len(broken), len(value), label, example)}"
        yield _sentence(_subject(column, value), str(rule), example if whole else None, value, column) + where


def _label(label: Any, value: Any) -> Any:
    """A row's label, which pandera gives as text where it has several parts."""
    with suppress(ValueError, SyntaxError):
        return ast.literal_eval(label) if value.index.nlevels > 1 else label
    return label


def _subject(column: Any, value: Any) -> str:
    return f"column '{column}'" if value.ndim > 1 and isinstance(column, str) else "it"


def _sentence(subject: str, rule: str, example: Any, value: Any, column: Any) -> str:
    name, _, rest = rule.partition("(")
    if name == "dtype":
        every = f": {all_rows(len(value))}" if example is not None else ""
        return f"{subject} should be {_type_of(rest)} and is {_actual_type(value, column)}{every}"
    if name == "field_name":
        return f"{subject} should be named {rest.removesuffix(')')} and is named {shown(example)}"
    if name == "not_nullable":
        return f"{subject} must have no nulls"
    return f"{subject} breaks {rule}" + (f": {shown(example)}" if example is not None else "")


def _actual_type(value: Any, column: Any) -> str:
    found = value.dtypes if value.ndim == 1 else value.dtypes[column]
    return str(found) if value.ndim == 1 or value.columns.is_unique else " and ".join(map(str, found))


def _type_of(rest: str) -> str:
    """The type in `dtype('int64')`, as pandas names it: pandera calls its texts by how they are stored."""
    name = rest.removesuffix(")").strip("'")
    return "str" if name.startswith("string[") else name
