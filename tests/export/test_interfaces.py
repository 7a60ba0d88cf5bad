"""What kind of change leads from one version of a pipeline to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from p2p.manifest import compare_interfaces
from p2p.notebook import parameters_of
from tests.building import read_built


def interface(folder: Path, params: str, **outputs: str) -> dict[str, Any]:
    described = parameters_of(read_built(folder, params=params or "pass")).describe()
    facts = {p["name"]: {"type": p["type"], "default": p["default"], "required": p["required"]} for p in described}
    return {"params": facts, "outputs": outputs}


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("a: int = 1", "a: int = 1", ("same interface", [])),
        ("a: int = 1", "a: int = 2", ("same interface", ["parameter 'a' defaults to 2, was 1"])),
        ("a: int = 1", "a: int = 1\nb: int = 2", ("additive", ["parameter 'b' is new"])),
        ("a: int = 1", "a: int = 1\nb: int", ("breaking", ["parameter 'b' is new"])),
        ("a: int = 1\nb: int = 2", "a: int = 1", ("breaking", ["parameter 'b' is gone"])),
        ("a: int = 1", "a: str = '1'", ("breaking", ["parameter 'a' is now str, was int"])),
        ("a: int = 1", "a: int", ("breaking", ["parameter 'a' no longer has a default"])),
        ("a: int", "a: int = 1", ("same interface", ["parameter 'a' now has the default 1"])),
        ("a: int = 1", "b: int = 1", ("breaking", ["parameter 'a' is gone", "parameter 'b' is new"])),
    ],
)
def test_a_change_of_parameters(tmp_path: Path, before: str, after: str, change: tuple[str, list[str]]) -> None:
    assert compare_interfaces(interface(tmp_path, before), interface(tmp_path, after)) == change


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({"x": "int"}, {"x": "int", "y": "int"}, ("additive", ["output 'y' is new"])),
        ({"x": "int", "y": "int"}, {"x": "int"}, ("breaking", ["output 'y' is gone"])),
        ({"x": "int"}, {"x": "str"}, ("breaking", ["output 'x' has another contract"])),
    ],
)
def test_a_change_of_outputs(
    tmp_path: Path, before: dict[str, str], after: dict[str, str], change: tuple[str, list[str]]
) -> None:
    assert compare_interfaces(interface(tmp_path, "", **before), interface(tmp_path, "", **after)) == change
