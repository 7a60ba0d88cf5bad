"""Contracts from recorded values: what a pipeline's values must look like, as `contracts.py`.

A frame's contract is its columns and their types; a value range seen once is no requirement, and a column may hold
nulls in another month. Anything else is held to its type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from p2p.export.emit import formatted
from p2p.export.plan import Plan
from p2p.model import StepRecord, ValueRef
from p2p.store import ValueStore

_FRAMES = ("pandas.DataFrame", "pandas.core.frame.DataFrame")
_NUMBERS = {"builtins.int": "(int, float)", "builtins.float": "(int, float)"}


def contracts_file(plan: Plan, steps: Sequence[StepRecord], values: ValueStore) -> str:
    """The text of `contracts.py` for the recorded steps of a run."""
    contracts = infer(steps, values)
    imports = sorted({line for line, _text in contracts.values() if line})
    schemas = {name: text for name, (_line, text) in contracts.items() if "\n" in text}
    lines = [f'"""What the values of {plan.name} must look like. Checked wherever a step takes or gives one."""', "",
             *imports, ""]  # fmt: skip
    lines += [f"{_constant(name)} = {text}\n" for name, text in schemas.items()]
    lines.append("CONTRACTS = {")
    lines += [
        f'    "{name}": {_constant(name) if name in schemas else text},' for name, (_l, text) in contracts.items()
    ]
    return formatted("\n".join([*lines, "}", ""]), "contracts.py")


def _constant(name: str) -> str:
    return name.upper() if name.upper() != name else f"{name}_CONTRACT"


def infer(steps: Sequence[StepRecord], values: ValueStore) -> dict[str, tuple[str, str]]:
    """By value name: the import line that its contract needs, and the contract as source."""
    found: dict[str, list[ValueRef]] = {}
    for step in steps:
        for name, ref in step.outputs.items():
            found.setdefault(name, []).append(ref)
    contracts = {name: _contract(refs, values) for name, refs in found.items()}
    return {name: contract for name, contract in contracts.items() if contract is not None}


def _contract(refs: Sequence[ValueRef], values: ValueStore) -> tuple[str, str] | None:
    kinds = {ref.type for ref in refs}
    if len(kinds) > 1:
        return None  # the name means different things along the way
    kind = kinds.pop()
    if kind in _FRAMES and all(ref.digest for ref in refs):
        return "import pandera.pandas as pa", frame_contract([values.get(ref) for ref in refs])
    if kind in _NUMBERS:
        return "", _NUMBERS[kind]
    return _type_contract(kind)


def frame_contract(frames: Sequence[Any]) -> str:
    """A pandera schema of the columns that all these frames have with the same type."""
    types = [{str(c): str(t) for c, t in frame.dtypes.items() if isinstance(c, str)} for frame in frames]
    common = [(c, t) for c, t in types[0].items() if all(other.get(c) == t for other in types[1:])]
    columns = "\n".join(f"        {c!r}: pa.Column({_dtype(t)}nullable=True)," for c, t in common)
    return f"pa.DataFrameSchema(\n    {{\n{columns}\n    }}\n)"


def _dtype(text: str) -> str:
    return "" if text in ("object", "category") else f'"{text}", '


def _type_contract(kind: str) -> tuple[str, str] | None:
    """A type as a contract, imported from where people import it when that gives the same type."""
    module, _, name = kind.rpartition(".")
    if module.startswith("__main__") or not isinstance(_offered(module, name), type):
        return None  # a generator's type, say, has no name that an import gives
    if module == "builtins":
        return "", name
    public = _public_module(module, name)
    return f"import {public}", f"{public}.{name}"


def _offered(module: str, name: str) -> Any:
    """What a module has under a name; None where there is nothing."""
    import importlib

    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None


def _public_module(module: str, name: str) -> str:
    """The shortest parent of `module` that offers the same object under `name`."""
    target = _offered(module, name)
    parts = module.split(".")
    for end in range(1, len(parts)):
        parent = ".".join(parts[:end])
        if _offered(parent, name) is target:
            return parent
    return module


def as_mapping(contracts: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The contracts as the manifest's interface holds them: source text by name."""
    return {name: text for name, (_line, text) in contracts.items()}
