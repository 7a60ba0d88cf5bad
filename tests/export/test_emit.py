"""What the generated files look like. `P2P_GOLDEN=write` rewrites the golden files: read their diff."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from p2p.export.badparams import bad_parameters
from p2p.export.compile import compile_notebook
from p2p.export.emit import one_type_each, steps_file
from p2p.model import ValueRef
from p2p.notebook import parameters_of
from tests.building import read_built
from tests.export.sales import module

GOLDEN = Path(__file__).parent / "golden" / "sales"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return module()


@pytest.mark.parametrize("name", ["params.py", "steps.py", "pipeline.py", "contracts.py", "tests.py"])
def test_a_generated_file_is_as_its_golden_one(texts: dict[str, str], name: str) -> None:
    if os.environ.get("P2P_GOLDEN") == "write":
        GOLDEN.mkdir(parents=True, exist_ok=True)
        (GOLDEN / name).write_text(texts[name], encoding="utf-8")
    assert texts[name] == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_hash_seed_changes_no_byte(texts: dict[str, str]) -> None:
    whole = "".join(f"--- {name}\n{text}" for name, text in texts.items())
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "tests.export.sales"], cwd=ROOT, env=env, capture_output=True, text=True, check=True
        )
        assert done.stdout == whole


def test_only_the_wiring_imports_p2p(texts: dict[str, str]) -> None:
    modules = {
        name: {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or ".")])
        }
        for name, text in texts.items()
    }  # fmt: skip
    assert {name for name, found in modules.items() if "p2p" in found} == {"pipeline.py", "tests.py"}


def test_a_signature_names_a_type_only_where_every_value_of_the_name_is_of_it() -> None:
    number, text = ValueRef("builtins.int"), ValueRef("builtins.str")
    assert one_type_each([("a", number), ("b", number), ("a", text), ("b", number)]) == {"b": number}


def test_a_parameter_that_a_step_gives_anew_is_annotated_where_its_type_stays(tmp_path: Path) -> None:
    notebook = read_built(
        tmp_path, "%%step use\nmonth = month + 1\nrate = str(rate)\nkept = 1",
        "%%step show\nx = month, rate, share, kept", params="month: int = 1\nrate: float = 0.5\nshare: float = 0.5",
    )  # fmt: skip
    parameters = parameters_of(notebook)
    plan = compile_notebook(notebook, "small", [p["name"] for p in parameters.describe()])
    types = {"month": ValueRef("builtins.int"), "rate": ValueRef("builtins.str")}
    text = steps_file(plan, types, parameters)
    assert "def use(month: int, rate):" in text
    assert "def show(month: int, rate, share: float, kept):" in text


def test_generated_tests_try_a_misspelt_name_and_a_value_out_of_bounds(tmp_path: Path) -> None:
    notebook = read_built(
        tmp_path,
        params="from typing import Annotated\nfrom pydantic import Field\nmonth: Annotated[int, Field(le=12)] = 1",
    )
    parameters = parameters_of(notebook)
    tried = [ast.literal_eval(source) for _what, source in bad_parameters(parameters)]
    assert {"no_such_parameter": 1} in tried
    assert any(isinstance(bad.get("month"), int | float) and bad["month"] > 12 for bad in tried)
