"""Contracts from recorded values: what a pipeline's values must look like, as `contracts.py`.

Required is what the code after a value relies on: the columns of a frame and their types, the type of anything else.
What was merely seen (ranges, nulls, categories) stands below it as plain data, and is no requirement: another month has
others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from p2p.contracts import observe, own_names
from p2p.export.emit import formatted
from p2p.export.plan import Plan
from p2p.export.types import is_known, public_type
from p2p.model import StepRecord, ValueRef
from p2p.store import ValueStore

_FRAMES = ("pandas.DataFrame", "pandas.core.frame.DataFrame")
_SERIES = ("pandas.Series", "pandas.core.series.Series")
_PANDERA = "import pandera.pandas as pa"
_OBSERVED = "# What the recorded values were like, to be read; nothing is held to it: other data may differ."


@dataclass(frozen=True)
class Contract:
    """What the values of one name must look like.

    Attributes:
        line: the import line that its source needs; empty for none.
        text: it as source.
        columns: the columns that it asks for, in order; empty for what is no frame.
        observed: what the recorded values were like (see `p2p.contracts.observe`).
    """

    line: str
    text: str
    columns: tuple[str, ...] = ()
    observed: Mapping[str, Any] = field(default_factory=dict)


def contracts_file(plan: Plan, contracts: Mapping[str, Contract]) -> str:
    """The text of `contracts.py`."""
    imports = sorted({contract.line for contract in contracts.values() if contract.line})
    schemas = _constants([name for name, contract in contracts.items() if "\n" in contract.text])
    lines = [f'"""What the values of {plan.name} must look like. Checked wherever a step takes or gives one."""', ""]
    lines += [*imports, ""] if contracts else ["from typing import Any", ""]
    lines += [f"{constant} = {contracts[name].text}\n" for name, constant in schemas.items()]
    lines.append("CONTRACTS = {" if contracts else "CONTRACTS: dict[str, Any] = {")
    lines += [f"    {name!r}: {schemas.get(name, contract.text)}," for name, contract in contracts.items()]
    lines += ["}", "", *_observed_lines(contracts)]
    return formatted("\n".join([*lines, ""]), "contracts.py")


def _observed_lines(contracts: Mapping[str, Contract]) -> Iterator[str]:
    """The facts of all values, one line for each column."""
    observed = {name: contract for name, contract in contracts.items() if contract.observed}
    yield from (_OBSERVED, "OBSERVED = {") if observed else ()
    for name, contract in observed.items():
        if contract.columns:
            yield f"    {name!r}: {{"
            yield from (f"        {column!r}: {facts!r}," for column, facts in contract.observed.items())
            yield "    },"
        else:
            yield f"    {name!r}: {contract.observed!r},"
    yield from "}" if observed else ""


def _constants(names: Sequence[str]) -> dict[str, str]:
    """By value name that of its schema, each another: `df` and `Df` are two values."""
    taken = {"CONTRACTS", "OBSERVED", *names}
    found = {}
    for name in names:
        ways = itertools.chain([name.upper(), f"{name}_CONTRACT"], (f"{name}_CONTRACT_{n}" for n in itertools.count(2)))
        found[name] = next(way for way in ways if way not in taken)
        taken.add(found[name])
    return found


def infer(steps: Sequence[StepRecord], values: ValueStore) -> dict[str, Contract]:
    """By value name: the contract of all that the name stood for, where it says something."""
    found: dict[str, list[ValueRef]] = {}
    for step in steps:
        for name, ref in [*step.outputs.items(), *step.changed.items()]:
            found.setdefault(name, []).append(ref)
    given = dict.fromkeys(name for step in steps for name in step.outputs)
    contracts = {name: _contract(found[name], values) for name in given}
    return {name: contract for name, contract in contracts.items() if contract is not None}


def _contract(refs: Sequence[ValueRef], values: ValueStore) -> Contract | None:
    kinds = {ref.type for ref in refs}
    if len(kinds) > 1:
        return None  # the name means different things along the way
    kind = kinds.pop()
    data = _of_data.get(kind)
    if data is not None and all(ref.digest for ref in refs):
        return data([values.get(ref) for ref in refs])
    found = public_type(kind)
    return None if found is None else Contract(*found)


def _frame_contract(frames: Sequence[Any]) -> Contract:
    """A pandera schema of the columns that all these frames have with the same type."""
    types = [{name: str(kind) for name, kind in own_names(frame).items()} for frame in frames]
    common = {c: t for c, t in types[0].items() if all(other.get(c) == t for other in types[1:])}
    columns = "".join(f"        {c!r}: pa.Column({_arguments(t)}),\n" for c, t in common.items())
    seen = observe([frame[list(common)] for frame in frames])
    return Contract(_PANDERA, f"pa.DataFrameSchema(\n    {{\n{columns}    }}\n)", tuple(common), seen)


def _series_contract(series: Sequence[Any]) -> Contract:
    types, names = {str(s.dtype) for s in series}, {s.name for s in series}
    kind = types.pop() if len(types) == 1 else "object"
    name = names.pop() if len(names) == 1 else None
    named = f", name={name!r}" if isinstance(name, str) else ""
    return Contract(_PANDERA, f"pa.SeriesSchema({_arguments(kind)}{named})", observed=observe(series))


def _arguments(dtype: str) -> str:
    """What pandera is asked for: a type unless it is any object, or one that pandera does not know."""
    return f'"{dtype}", nullable=True' if dtype != "object" and is_known(dtype) else "nullable=True"


def _array_contract(arrays: Sequence[Any]) -> Contract:
    """The facts that all these arrays have in common, as a dict."""
    types, dimensions = {_array_type(a) for a in arrays}, {a.ndim for a in arrays}
    facts = f', "dtype": {types.pop()!r}' if len(types) == 1 and None not in types else ""
    facts += f', "ndim": {dimensions.pop()}' if len(dimensions) == 1 else ""
    return Contract("import numpy", f'{{"type": numpy.ndarray{facts}}}', observed=observe(arrays))


def _array_type(array: Any) -> str | None:
    """The name of its type; a text's length comes from the data, and of objects there is nothing to say."""
    return {"U": "str", "S": "bytes", "O": None, "V": None}.get(array.dtype.kind, str(array.dtype))


_of_data = {
    **dict.fromkeys(_FRAMES, _frame_contract),
    **dict.fromkeys(_SERIES, _series_contract),
    "numpy.ndarray": _array_contract,
}


def as_mapping(contracts: Mapping[str, Contract]) -> dict[str, str]:
    """The contracts as the manifest's interface holds them: what is required, as source text by name."""
    return {name: contract.text for name, contract in contracts.items()}
