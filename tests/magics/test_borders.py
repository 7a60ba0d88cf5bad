from __future__ import annotations

import random
from typing import Any

import numpy as np

from p2p.magics.borders import Borders


class Kernel:
    """Runs cells in a namespace, with borders around them."""

    def __init__(self, needed: set[str]) -> None:
        self.events: list[dict[str, Any]] = []
        self.time = 0.0
        self.namespace: dict[str, Any] = {}
        self.borders = Borders(self, frozenset(needed), lambda: self.time)

    def append(self, kind: str, **data: Any) -> None:
        assert kind == "cell_border"
        self.events.append(data)

    def run(self, source: str, **given: Any) -> dict[str, Any] | None:
        """What was told about the cell."""
        told = len(self.events)
        self.borders.before()
        self.namespace.update(given)
        exec(source, self.namespace)
        self.borders.after(source, self.namespace)
        return self.events[-1] if len(self.events) > told else None


def test_a_change_that_the_text_hides_is_seen_under_every_name() -> None:
    kernel = Kernel({"xs", "alias", "other"})
    assert kernel.run("xs = [3, 1, 2]; alias = xs; other = [1]\ndef helper():\n    xs.sort()") is None
    told = kernel.run("helper()")
    assert told is not None
    assert (told["changed"], told["same"]) == (["xs", "alias"], [["xs", "alias"]])


def test_a_name_that_is_given_anew_has_not_changed_in_place() -> None:
    kernel = Kernel({"xs"})
    kernel.run("xs = [3, 1, 2]")
    assert kernel.run("xs = sorted(xs)") is None


def test_a_cell_that_draws_or_seeds_moves_its_generator() -> None:
    kernel = Kernel(set())
    told = kernel.run("draw()", draw=random.random)
    assert told is not None
    assert told["moved"] == ["random"]
    told = kernel.run("seed(1)", seed=np.random.seed)
    assert told is not None
    assert told["moved"] == ["numpy"]
    assert kernel.run("x = 1") is None


def test_parts_of_one_array_are_told_as_the_same() -> None:
    kernel = Kernel({"whole", "row"})
    kernel.run("whole = zeros((3, 4)); row = whole[1]", zeros=np.zeros)
    told = kernel.run("row[0] = 1")
    assert told is not None
    assert (told["changed"], told["same"]) == (["whole", "row"], [["whole", "row"]])


def test_a_large_value_waits_when_the_time_is_used_up_and_is_looked_at_when_a_cell_reads_it(monkeypatch: Any) -> None:
    kernel = Kernel({"large", "small"})
    looked: list[int] = []

    def slow(value: Any) -> bytes:
        looked.append(len(value))
        kernel.time += 10
        return bytes(str(value), "ascii")

    monkeypatch.setattr("p2p.magics.borders.fingerprint", slow)
    kernel.time = 1.0
    kernel.run("large = zeros(1_000_000); small = [1]", zeros=np.zeros)
    looked.clear()
    kernel.run("small.append(2)")
    assert looked == [2]
    looked.clear()
    kernel.run("large[0] = 1")
    assert 1_000_000 in looked


def test_an_object_that_nobody_needs_is_let_go() -> None:
    import gc
    import weakref

    kernel = Kernel({"xs"})
    kernel.run("xs = made()", made=lambda: np.zeros(10))
    held = weakref.ref(kernel.namespace["xs"])
    kernel.run("xs = None")
    gc.collect()
    assert held() is None
