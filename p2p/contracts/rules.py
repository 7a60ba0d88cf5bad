"""Values held against their contracts, whatever form these have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from p2p.contracts.schemas import schema_problems
from p2p.contracts.telling import plain, type_name
from p2p.errors import ContractBroken


def check(step: str, values: Mapping[str, Any], contracts: Mapping[str, Any], *, taken: bool = False) -> None:
    """Raise ContractBroken when values break their contracts, with all of them; names without a contract pass.

    Args:
        step: the step that takes or gives them.
        values: by name.
        contracts: by name.
        taken: whether they are what the step takes; else they are what it gives.
    """
    if not contracts:
        return
    found = {name: broken_rules(values[name], contracts[name]) for name in values if contracts.get(name) is not None}
    broken = {name: problems for name, problems in found.items() if problems}
    if broken:
        raise ContractBroken(step, broken, taken=taken)


def broken_rules(value: Any, contract: Any) -> list[str]:
    """One sentence for each rule of `contract` that `value` breaks."""
    if contract is None:
        return []
    if isinstance(contract, Mapping):
        return _type_problems(value, contract["type"]) or list(_array_problems(value, contract))
    if isinstance(contract, type | tuple):
        return _type_problems(value, contract)
    return schema_problems(value, contract)


def _type_problems(value: Any, kind: Any) -> list[str]:
    fits = any(isinstance(form, kind) for form in (value, plain(value))) and not _is_truth_for_number(value, kind)
    return [] if fits else [f"expected {type_name(kind)}, got {type_name(type(value))}"]


def _is_truth_for_number(value: Any, kind: Any) -> bool:
    """Whether the value is True or False where numbers are asked for, of which Python says that they are some."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return type(plain(value)) is bool and int in kinds and not {bool, object}.intersection(kinds)


def _array_problems(value: Any, facts: Mapping[str, Any]) -> Iterator[str]:
    if "dtype" in facts and not _is_of(value.dtype, facts["dtype"]):
        yield f"should be of {facts['dtype']} and is of {value.dtype}"
    if "ndim" in facts and value.ndim != facts["ndim"]:
        yield f"should have {_dimensions(facts['ndim'])} and has {value.ndim}: its shape is {value.shape}"


def _is_of(dtype: Any, wanted: str) -> bool:
    """Whether an array is of a type; texts and bytes of any length are."""
    import numpy as np

    kind = np.dtype(wanted)
    return bool(dtype == kind or (kind.kind in "SU" and dtype.kind == kind.kind))


def _dimensions(count: int) -> str:
    return f"{count} dimension{'' if count == 1 else 's'}"
