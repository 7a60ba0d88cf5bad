"""What a contract asks, as a digest: a value that met it once need not be loaded only to be held against it again."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from blake3 import blake3

from p2p.cache.code import is_local, package_version
from p2p.store import content_digest

_JUDGES = ("pandas", "numpy")  # of whatever package a contract is: what they load is what is checked
_CODE = (type, FunctionType, BuiltinFunctionType, MethodType)


def agreed(contract: Any) -> str:
    """A digest, equal for contracts that ask for the same in the same environment.

    Empty where nobody can tell: a rule of it is code of the user's own, or it cannot be written down.
    """
    kinds = contract if isinstance(contract, tuple) else (contract,)
    if all(isinstance(kind, type) for kind in kinds):
        told = "" if any(is_local(kind.__module__) for kind in kinds) else " ".join(map(_named, kinds))
    else:
        told = _written(contract)
    return told and str(blake3("\0".join([told, *_versions(kinds)]).encode()).hexdigest(length=16))


def _written(contract: Any) -> str:
    """The digest of an array's facts or a schema as they are written; empty where code of the user's own is in it."""
    try:
        _Looking(io.BytesIO(), protocol=5).dump(contract)
    except Exception:  # noqa: BLE001  # pickling runs the contract's own code
        return ""
    return content_digest(contract) or ""


def _named(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _versions(kinds: tuple[Any, ...]) -> Iterator[str]:
    """The versions of the packages that decide whether a value is what is asked for."""
    told = [one.get("type", object) if isinstance(one, Mapping) else one for one in kinds]
    modules = [getattr(one, "__module__", None) or type(one).__module__ for one in told]
    for root in sorted({*_JUDGES, *(module.partition(".")[0] for module in modules)} - sys.stdlib_module_names):
        yield f"{root} {package_version(root)}"


class _Looking(pickle.Pickler):
    """Raises where a contract holds code of the user's own, which may change without a trace in its name."""

    def reducer_override(self, one: Any) -> Any:
        if isinstance(one, _CODE) and is_local(one.__module__):
            raise pickle.PicklingError(f"{one.__qualname__} is the user's own")
        return NotImplemented
