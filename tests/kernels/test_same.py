"""A run in a forked kernel is recorded as one in a started kernel is: values, states, events, and MLflow's run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from p2p.cache import Reuse
from p2p.model import RunStatus
from p2p.tracking.sending import read_sent
from tests.kernels.place import MODES, Place

PENGUINS = Path(__file__).resolve().parents[2] / "notebooks" / "penguins.ipynb"
_VARYING = frozenset({
    "at", "id", "parent_id", "step_id", "seconds", "pid", "process", "run", "run_id", "by",
    "warm", "waited", "ahead", "not_ahead", "random", "random_before", "random_after", "git_commit",
})  # fmt: skip


@pytest.fixture(scope="module")
def runs(place: Place) -> dict[str, Any]:
    path = Path(shutil.copy(PENGUINS, place.settings.root / "notebooks" / "penguins.ipynb"))
    outcomes = {mode: place.run(mode, path=path, reuse=Reuse(cache=False)) for mode in MODES}
    place.beside.all_sent()
    return outcomes


def plain(data: Any) -> Any:
    """Without what is another in any two runs."""
    if isinstance(data, dict):
        return {name: plain(value) for name, value in data.items() if name not in _VARYING}
    return [plain(item) for item in data] if isinstance(data, list | tuple) else data


def test_values_are_equal(runs: dict[str, Any]) -> None:
    assert {o.status for o in runs.values()} == {RunStatus.FINISHED}
    cold, *others = ({s.name: {n: r.digest for n, r in s.outputs.items()} for s in runs[mode].steps} for mode in MODES)
    assert others == [cold] * 2
    assert any(cold.values())


def test_the_journal_tells_the_same_events(place: Place, runs: dict[str, Any]) -> None:
    # When MLflow has made the run is told by the sidecar, whenever that is.
    cold, *others = (
        [plain(event) for event in place.events(runs[mode]) if not event["kind"].startswith("mlflow_")]
        for mode in MODES
    )
    for other in others:
        assert [event["kind"] for event in cold] == [event["kind"] for event in other]
    assert others == [cold] * 2


def tags(run: Any) -> dict[str, str]:
    """An MLflow run's, without those that are its own."""
    return {k: v for k, v in run.data.tags.items() if k not in ("p2p.run", "mlflow.runName")}


def test_mlflow_has_the_same_of_all(place: Place, runs: dict[str, Any]) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(place.settings.tracking_uri)
    found, *others = [client.get_run(read_sent(place.settings.runs / runs[mode].key).run_id) for mode in MODES]
    for other in others:
        assert found.data.params == other.data.params
        assert found.data.metrics.keys() == other.data.metrics.keys()
        assert tags(found) == tags(other)
    assert {run.info.status for run in (found, *others)} == {"FINISHED"}
