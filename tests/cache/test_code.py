"""What counts as the code of a step: its text, and that of what it uses of the user's own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from p2p.cache import code_of_function

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
    code = code_of_function(large.f0)
    assert time.perf_counter() - began < 30, "it was walked to its end"
    assert "it uses more code of yours than is looked at" in code.doubts
    assert code_of_function(large.f0).digest == code.digest
    path = Path(str(large.__file__))
    path.write_text(path.read_text().replace("return x\n", "return -x\n"))
    assert code_of_function(large.f0).digest != code.digest


def test_a_small_one_is_looked_at_to_its_end(large: ModuleType) -> None:
    assert code_of_function(getattr(large, f"f{HELPERS - 3}")).doubts == ()
