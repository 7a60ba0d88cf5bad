from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from p2p.export import samples
from p2p.store import DiskStore
from p2p.testing import assert_gives, recorded


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "values")


def step(store: DiskStore, code: str, outputs: list[str], **inputs: Any) -> dict[str, Any]:
    refs = {name: store.put(value).as_dict() for name, value in inputs.items()}
    return {"name": "clean", "code": code, "outputs": outputs, "inputs": refs}


def test_values_of_one_length_are_thinned_at_the_same_rows() -> None:
    frame, series, array, text = samples.shrink(
        [pd.DataFrame({"a": range(10)}), pd.Series(range(10)), np.arange(10), "as it is"], 4
    )
    assert frame["a"].tolist() == series.tolist() == array.tolist() == [0, 2, 5, 7]
    assert text == "as it is"


def test_an_example_holds_inputs_as_they_were_before_the_code_changed_them(store: DiskStore, tmp_path: Path) -> None:
    request = step(store, "rows['a'] = sorted(rows['a'])\nfirst = int(rows['a'].iloc[0])", ["first"],
                   rows=pd.DataFrame({"a": [3, 1, 2]}))  # fmt: skip
    assert samples.make_case(request, {}, store, tmp_path) == ""
    case = recorded(tmp_path / "clean")
    assert case.inputs["rows"]["a"].tolist() == [3, 1, 2]
    assert case.outputs == {"first": 1}
    assert_gives(1, case, ("first",))
    with pytest.raises(AssertionError, match=r"step 'clean', value 'first'"):
        assert_gives(2, case, ("first",))


def test_what_a_step_draws_is_drawn_again_from_its_example(store: DiskStore, tmp_path: Path) -> None:
    request = step(store, "drawn = [np.random.normal(), random.random()]", ["drawn"], rows=np.arange(3))
    assert samples.make_case(request, {"np": np, "random": random}, store, tmp_path) == ""
    case = recorded(tmp_path / "clean")
    assert_gives([np.random.normal(), random.random()], case, ("drawn",))


def test_more_rows_are_tried_when_the_code_does_not_run_on_few(store: DiskStore, tmp_path: Path) -> None:
    request = step(store, "assert len(rows) > 1000\nn = len(rows)", ["n"], rows=np.arange(5000))
    assert samples.make_case(request, {}, store, tmp_path) == ""
    assert recorded(tmp_path / "clean").outputs == {"n": 2000}


@pytest.mark.parametrize(
    ("code", "outputs", "inputs", "reason"),
    [
        ("n = 1", ["n"], {"k": 1}, "it takes no data"),
        ("n = 1", ["n"], {"rows": (x for x in [])}, "its input 'rows' cannot be stored"),
        ("n = rows['b']", ["n"], {"rows": np.arange(3)}, "its code does not run on small data: IndexError"),
        ("n = (x for x in rows)", ["n"], {"rows": np.arange(3)}, "none of its outputs can be stored"),
        ("n = rows", ["n"], {"rows": [[i] * 10 for i in range(100_000)]}, "its example would take"),
    ],
)
def test_a_step_without_an_example_says_why_and_leaves_no_file(
    store: DiskStore, tmp_path: Path, code: str, outputs: list[str], inputs: dict[str, Any], reason: str
) -> None:
    assert reason in samples.make_case(step(store, code, outputs, **inputs), {}, store, tmp_path)
    assert not (tmp_path / "clean").exists()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("first = next(counter)", "it gives another 'first' when it runs again in the same process"),
        ("first = next(counter) * 0 + len(rows)", ""),
        ("first = (n for n in rows)\nsecond = len(rows)", ""),
    ],
)
def test_a_step_that_counts_in_its_process_has_no_example(code: str, reason: str, tmp_path: Path) -> None:
    """As libraries do that number their objects: `sys[1]` in one order of tests, `sys[11]` in another."""
    store = DiskStore(tmp_path / "values")
    request = step(store, code, ["first", "second"], rows=np.arange(3))
    assert samples.make_case(request, {"counter": itertools.count()}, store, tmp_path / "data") == reason


def test_what_the_code_logs_with_plain_mlflow_leaves_no_trace(tmp_path: Path) -> None:
    """It runs in the notebook's directory, where MLflow would otherwise make a store of its own."""
    store = DiskStore(tmp_path / "values")
    request = {
        "path": [], "module": "json", "values": str(tmp_path / "values"), "directory": str(tmp_path / "data"),
        "copies": {},
        "steps": [{
            "name": "tell", "code": "import mlflow\nmlflow.log_metric('rows', len(rows))\ny = 1", "outputs": ["y"],
            "inputs": {"rows": store.put([1, 2]).as_dict()},
        }],
    }  # fmt: skip
    work = tmp_path / "notebooks"
    work.mkdir()
    environment = {k: v for k, v in os.environ.items() if k not in ("MLFLOW_TRACKING_URI", "P2P_ROOT")}
    done = subprocess.run(
        [sys.executable, "-m", "p2p.export.samples"], input=json.dumps(request), cwd=work, env=environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"tell": ""}
    assert list(work.iterdir()) == []
