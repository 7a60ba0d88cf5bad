"""Values of every codec, small, and ways to damage what is stored of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from p2p.store import DiskStore, difference
from p2p.store.finding import forget
from tests.store import made


def small_values() -> dict[str, Any]:
    """Twenty small values; each codec is among theirs."""
    kinds = {
        "json": ["none", "text", "list"],
        "pydantic": ["nested", "aliased"],
        "npy": ["ints", "floats", "structured", "times", "float64"],
        "arrow": ["mixed", "attrs", "nothing"],
        "pickle": ["tuple", "set", "dataclass", "counter", "shared"],
    }
    groups = {
        "json": {"none": None, "text": "größer", "list": [1, 2.5, {"a": [True]}]}, "pydantic": made.models(),
        "npy": made.arrays(), "arrow": made.frames(), "pickle": made.pickled(),
    }  # fmt: skip
    found = {f"{kind} {name}": groups[kind][name] for kind, names in kinds.items() for name in names}
    return found | {"png figure": _figure(), "arrow series": pd.Series(np.arange(3.0), name="x")}


def _figure() -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(0.2, 0.2))
    figure.add_axes((0, 0, 1, 1)).plot([1, 2])
    return figure


class DamagedStore:
    """One value in a store of its own, to be damaged again and again."""

    def __init__(self, folder: Path, value: Any) -> None:
        self.store = DiskStore(folder / "values")
        self.value = value
        self.ref = self.store.put(value)
        self.path = self.store.path(self.ref)
        self.whole = self.path.read_bytes()
        self.tried = 0

    def flipped(self, position: int, mask: int) -> bytes:
        data = bytearray(self.whole)
        data[position] ^= mask
        return bytes(data)

    def find(self, data: bytes) -> Any:
        """What the store gives when the file holds `data`; before that, it has been sound once more."""
        assert self.store.put(self.value) == self.ref
        self.path.write_bytes(data)
        self.tried += 1
        return self.store.find(self.ref)

    def find_flipped(self, position: int, mask: int) -> Any:
        """As `find`, with one byte changed in place: quick enough for every bit, and for large values."""
        aside = self.store.root / "damaged" / self.path.name
        if aside.exists():
            aside.rename(self.path)
        forget(str(self.path))
        self._write_byte(position, self.whole[position] ^ mask)
        self.tried += 1
        found = self.store.find(self.ref)
        place = aside if aside.exists() else self.path
        self._write_byte(position, self.whole[position], place)
        return found

    def _write_byte(self, position: int, byte: int, place: Path | None = None) -> None:
        with (place or self.path).open("r+b") as file:
            file.seek(position)
            file.write(bytes([byte]))

    def is_found_when_put_again(self) -> bool:
        assert self.store.put(self.value) == self.ref
        found = self.store.find(self.ref)
        return found == self.whole if self.ref.codec == "png" else difference(found, self.value) is None


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "p2p.store"]
