"""What a value must look like, and whether it does.

A contract is one of three things, so that an exported module states it without importing p2p: a Python type
(`isinstance`), a pandera schema (anything with a `validate` method), or None for "anything".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from p2p.errors import ContractBroken

_MOST_PROBLEMS = 5


def check(step: str, values: Mapping[str, Any], contracts: Mapping[str, Any]) -> None:
    """Raise ContractBroken for the first value that breaks its contract; names without a contract pass."""
    for name, value in values.items():
        problems = broken_rules(value, contracts.get(name))
        if problems:
            raise ContractBroken(step, name, problems)


def broken_rules(value: Any, contract: Any) -> list[str]:
    """One sentence for each rule of `contract` that `value` breaks."""
    if contract is None:
        return []
    if isinstance(contract, type | tuple):
        return (
            [] if isinstance(value, contract) else [f"expected {_type_name(contract)}, got {_type_name(type(value))}"]
        )
    return _schema_problems(value, contract)


def _type_name(kind: Any) -> str:
    if isinstance(kind, tuple):
        return " or ".join(_type_name(k) for k in kind)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _schema_problems(value: Any, schema: Any) -> list[str]:
    """Problems by pandera's lazy validation, one sentence for each broken rule with its count and an example."""
    from pandera.errors import SchemaError, SchemaErrors

    try:
        schema.validate(value, lazy=True)
    except SchemaErrors as errors:
        return _case_sentences(errors.failure_cases)
    except (SchemaError, TypeError) as error:
        return [str(error).splitlines()[0]]
    return []


def _plain(value: Any) -> Any:
    """A NumPy scalar as the Python value that people write."""
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


def _case_sentences(cases: Any) -> list[str]:
    absent = cases["check"] == "column_in_dataframe"
    sentences = [f"column '{column}' is missing" for column in cases.loc[absent, "failure_case"]]
    for (column, rule), rows in cases[~absent].groupby(["column", "check"], dropna=False, sort=False):
        example = _plain(rows["failure_case"].iloc[0])
        if str(rule).startswith("dtype("):
            sentences.append(f"column '{column}' should be {str(rule)[6:].strip(')').strip(chr(39))}, got {example}")
        else:
            count = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
            sentences.append(f"column '{column}' breaks {rule} in {count}, for example {example!r}")
    more = len(sentences) - _MOST_PROBLEMS
    return sentences[:_MOST_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
