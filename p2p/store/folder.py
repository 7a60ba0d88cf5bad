"""Several values in a folder, each as a file of its own, with an index: reference values beside generated tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from p2p.files import write_atomic
from p2p.model import ValueRef
from p2p.store.files import load_file, write_file
from p2p.store.values import ValueStore

_INDEX = "index.json"


def save_folder(refs: Mapping[str, ValueRef], values: ValueStore, directory: Path, *, room: int) -> None:
    """Write values of `values` to `directory`, by key; the smallest first, while they take at most `room` bytes."""
    index: dict[str, dict[str, object]] = {}
    for key, ref in sorted(refs.items(), key=lambda item: (item[1].nbytes, item[0])):
        room -= ref.nbytes
        if room < 0:
            break
        name = f"{len(index)}_{key}"  # names of values may differ in case alone
        write_file(directory, name, ref, values.bytes_of(ref))
        index[key] = {"file": name, **ref.as_dict()}
    if index:
        write_atomic(directory / _INDEX, json.dumps(index, indent=1, sort_keys=True) + "\n", sync=False)


def load_folder(directory: Path) -> Mapping[str, Any]:
    """The values that `save_folder` wrote, by key, each loaded when it is asked for; none where there is no folder."""
    return _Folder(directory)


class _Folder(Mapping[str, Any]):
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        index = directory / _INDEX
        self._index: dict[str, dict[str, Any]] = (
            json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
        )

    def __getitem__(self, key: str) -> Any:
        facts = self._index[key]
        return load_file(self._directory, facts["file"], ValueRef.from_dict(facts))

    def __iter__(self) -> Any:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)
