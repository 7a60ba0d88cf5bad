"""What counts as the code of a step: its text, and that of what it uses of the user's own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from p2p.cache import code, code_of_function

HELPERS = 3_000


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package of the user's own in which one function leads to thousands."""
    chain = "\n".join(f"def f{n}(x):\n    return f{n + 1}(x)" for n in range(HELPERS))
    (tmp_path / "large_of_mine.py").write_text(f"{chain}\ndef f{HELPERS}(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    import large_of_mine  # type: ignore[import-not-found]

    yield large_of_mine
    del sys.modules["large_of_mine"]


def test_of_a_large_package_the_files_stand_for_what_is_not_looked_at(large: ModuleType) -> None:
    began = time.perf_counter()
    found = code_of_function(large.f0)
    assert time.perf_counter() - began < 30, "it was walked to its end"
    assert "it uses more code of yours than is looked at" in found.doubts
    assert code_of_function(large.f0).digest == found.digest
    path = Path(str(large.__file__))
    path.write_text(path.read_text().replace("return x\n", "return -x\n"))
    assert code_of_function(large.f0).digest != found.digest


def test_a_small_one_is_looked_at_to_its_end(large: ModuleType) -> None:
    assert code_of_function(getattr(large, f"f{HELPERS - 3}")).doubts == ()


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A small module of the user's own."""
    (tmp_path / "small_of_mine.py").write_text(
        "import math\nSCALE = 2\nTABLE = {'a': 1}\n\n"
        "def helper(x):\n    return x * SCALE\n\n"
        "def other(x):\n    return x - SCALE\n\n"
        "def step(x, by=1):\n    return helper(x) + by + late(math.pi) + len(TABLE)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import small_of_mine  # type: ignore[import-not-found]

    del small_of_mine.TABLE  # as it can change in place, a function that reads it is looked at each time
    yield small_of_mine
    del sys.modules["small_of_mine"]


def _rebind_helper(module: ModuleType) -> None:
    module.helper = module.other


def _give_it_other_code(module: ModuleType) -> None:
    """As `%autoreload` does."""
    module.helper.__code__ = module.other.__code__


def _change_a_constant(module: ModuleType) -> None:
    module.SCALE = 3


def _change_a_default(module: ModuleType) -> None:
    module.step.__defaults__ = (2,)


def _bind_what_was_not_there(module: ModuleType) -> None:
    module.late = module.other


def _take_another_module(module: ModuleType) -> None:
    module.math = np


def _change_in_place(module: ModuleType) -> None:
    module.TABLE["b"] = 2


@pytest.mark.parametrize(
    "change",
    [_rebind_helper, _give_it_other_code, _change_a_constant, _change_a_default, _bind_what_was_not_there,
     _take_another_module],
)  # fmt: skip
def test_what_was_found_holds_until_something_changes(
    mine: ModuleType, change: Callable[[ModuleType], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = code_of_function(mine.step)
    with monkeypatch.context() as patched:
        patched.setattr(code, "_Walk", None)  # nothing is looked at again
        assert code_of_function(mine.step) is before
    change(mine)
    assert code_of_function(mine.step).digest != before.digest


def test_what_can_change_in_place_is_looked_at_each_time(mine: ModuleType) -> None:
    mine.TABLE = {"a": 1}
    before = code_of_function(mine.step)
    _change_in_place(mine)
    assert code_of_function(mine.step).digest != before.digest
