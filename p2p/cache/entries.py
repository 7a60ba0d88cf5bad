"""The cache on disk: what a step gave, by the key of its code and inputs.

One JSON object a result, in a ledger, `mlruns/p2p/cache/<hex digit>.log`; the values lie in the value store, or in
their references. A result that is damaged, of another format, or in a folder that others can write to is a miss.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from blake3 import blake3

from p2p.model import ValueRef
from p2p.store import Damaged, Ledger

FORMAT = 3  # 1 had results that show the memory of another value's array, which no stored value can; 2 a file each
_AS_JSON = json.JSONEncoder().encode  # `json.dumps` asks first whether it may use this one
_log = logging.getLogger("p2p.cache")


@dataclass(frozen=True)
class Kept:
    """What a step gave, as references.

    Attributes:
        run: key of the run that made it.
        step_id: the step's id in that run's journal, for what else it did there.
        code: digest of the step's code.
        inputs: by name, the digest of each input; None for one that has none.
        outputs: the outputs by name.
        others: further names that the step has given values to.
        changed: by name, what inputs have become that the step has changed in place.
        same: names of outputs and others that are an input itself, by that input's name.
        together: one value that holds those of inputs, outputs and others which share objects, as a dict by name;
            inputs under `in NAME`, the others under `out NAME`.
        random: the states of the global random generators after the step; None where it did not draw from them.
        random_before: digest of their states before it; empty where it did not draw from them.
        met: by name of an output, a digest of the contract that it met; none for what is loaded in any case.
        form: the shape of a function's result.
    """

    run: str
    step_id: str
    code: str
    inputs: Mapping[str, str | None]
    outputs: Mapping[str, ValueRef]
    others: Mapping[str, ValueRef] = field(default_factory=dict)
    changed: Mapping[str, ValueRef] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    together: ValueRef | None = None
    random: ValueRef | None = None
    random_before: str = ""
    met: Mapping[str, str] = field(default_factory=dict)
    form: str = "one"

    def as_dict(self) -> dict[str, Any]:
        """Plain data; what is empty is left out."""
        found = {name: getattr(self, name) for name in _FIELDS}
        return {name: _plain(item) for name, item in found.items() if item or name in _ALWAYS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Kept:
        """Raises ValueError or TypeError for what is no such record."""
        return cls(
            run=str(data["run"]), step_id=str(data["step_id"]), code=str(data["code"]), inputs=dict(data["inputs"]),
            outputs=_refs(data["outputs"]), others=_refs(data.get("others", {})),
            changed=_refs(data.get("changed", {})), same={str(k): str(v) for k, v in data.get("same", {}).items()},
            together=_ref(data.get("together")), random=_ref(data.get("random")),
            random_before=str(data.get("random_before", "")),
            met={str(k): str(v) for k, v in data.get("met", {}).items()}, form=str(data["form"]),
        )  # fmt: skip


_FIELDS = tuple(item.name for item in fields(Kept))
_ALWAYS = ("run", "step_id", "code", "inputs", "outputs", "form")


def _plain(value: Any) -> Any:
    if isinstance(value, ValueRef):
        return value.as_dict()
    return {name: _plain(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def _refs(data: Mapping[str, Any]) -> dict[str, ValueRef]:
    return {str(name): ValueRef.from_dict(ref) for name, ref in data.items()}


def _ref(data: Mapping[str, Any] | None) -> ValueRef | None:
    return None if data is None else ValueRef.from_dict(data)


class Entries:
    """The results that are kept for equal steps of any run.

    Args:
        folder: where they lie.
        mask: takes secrets out of what they say of values.
    """

    def __init__(self, folder: Path, *, mask: Callable[[Any], Any] = lambda data: data) -> None:
        self.folder = folder
        self._ledger = Ledger(folder)
        self._mask = mask
        self._warned = False

    def find(self, key: str) -> Kept | None:
        """The result under this key; None where there is none that can be trusted."""
        try:
            text = self._ledger.find(key)
            if text is None or not self._is_ours():
                return None
            return Kept.from_dict(json.loads(text.decode()))
        except (Damaged, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            _log.warning("The cached result %s in %s is damaged and is not used.", key, self.folder)
            return None

    def keep(self, key: str, kept: Mapping[str, Any]) -> None:
        """Keep a result, as `Kept.as_dict` gives it; an earlier one under the key is replaced.

        Raises:
            StoreError: the disk does not take it.
        """
        self._ledger.add(key, _AS_JSON(self._mask(kept)).encode())

    def _is_ours(self) -> bool:
        """Whether nobody else can have put anything here; where others can, that is said once."""
        if not hasattr(os, "getuid"):
            return True  # Windows has no owner ids; folders under the user's profile are private by default
        found = self.folder.stat()
        ours = found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not ours and not self._warned:
            self._warned = True
            _log.warning("No cached result is used: %s is another user's, or others can write to it.", self.folder)
        return ours


def key_of(step: str, code: str, inputs: Mapping[str, str | None], random_before: str = "") -> str:
    """The key of a result: its step, its code, its inputs, and the random states where the step draws from them."""
    facts = [FORMAT, step, code, sorted(inputs.items()), random_before]
    return str(blake3(json.dumps(facts).encode()).hexdigest())
