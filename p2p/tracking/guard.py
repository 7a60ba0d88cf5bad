"""Letting a user's own MLflow calls land in our run, without letting them end it.

MLflow's `start_run()` takes up the run named by `MLFLOW_RUN_ID`, once, and whoever takes it up ends it: an
`mlflow.log_metric` in a notebook would close its driver's run when the kernel exits. So in a process that only writes
to a run, ending that run is a no-op that names the run in the environment again, for the next `start_run()`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any

_attached: dict[str, str] = {}
_ours: dict[str, str] = {}


def attach(run_id: str, experiment: str, tracking_uri: str) -> None:
    """From now on, MLflow's fluent calls in this process land in `run_id`, which only its driver ends."""
    _attached.update(run_id=run_id, experiment=experiment, tracking_uri=tracking_uri)
    _set_if_absent("MLFLOW_TRACKING_URI", tracking_uri)
    arm()
    install()


def detach() -> None:
    """Forget the run."""
    if _attached and os.environ.get("MLFLOW_RUN_ID") == _attached["run_id"]:
        del os.environ["MLFLOW_RUN_ID"]
    _leave_active_run()
    _attached.clear()
    for name, value in _ours.items():  # another run has another experiment
        if os.environ.get(name) == value:
            del os.environ[name]
    _ours.clear()


def arm() -> None:
    """Name the run in the environment, unless MLflow is already in it or the user chose another store."""
    if not _attached:
        return
    mlflow = sys.modules.get("mlflow")
    if mlflow is not None and hasattr(mlflow, "active_run"):
        if mlflow.active_run() is not None or mlflow.get_tracking_uri() != _attached["tracking_uri"]:
            return
        _choose_experiment(mlflow)
    os.environ["MLFLOW_RUN_ID"] = _attached["run_id"]
    _set_if_absent("MLFLOW_EXPERIMENT_ID", _attached["experiment"])


def _set_if_absent(name: str, value: str) -> None:
    if name not in os.environ:
        os.environ[name] = _ours[name] = value


def _choose_experiment(mlflow: Any) -> None:
    """A notebook's own `set_experiment` would make MLflow refuse to take up our run."""
    fluent = sys.modules.get("mlflow.tracking.fluent")
    if getattr(fluent, "_active_experiment_id", None) not in (None, _attached["experiment"]):
        mlflow.set_experiment(experiment_id=_attached["experiment"])


def prepare(source: str) -> None:
    """Put the guard in before this code runs: code that imports MLflow may start and end a run before it is done."""
    if _attached and "mlflow" in source:
        with contextlib.suppress(ImportError):
            importlib.import_module("mlflow")
    install()


def install() -> None:
    """Make ending the attached run a no-op in this process; does nothing before MLflow's client is loaded."""
    _keep_experiment()
    module = sys.modules.get("mlflow.tracking.client")
    client = getattr(module, "MlflowClient", None)
    if client is None or getattr(client.set_terminated, "p2p_guard", False):
        return
    original = client.set_terminated

    def set_terminated(self: Any, run_id: str, *args: Any, **kwargs: Any) -> Any:
        if run_id == _attached.get("run_id"):
            os.environ["MLFLOW_RUN_ID"] = run_id
            return None
        return original(self, run_id, *args, **kwargs)

    set_terminated.p2p_guard = True  # type: ignore[attr-defined]  # a mark, so that it is put in once
    client.set_terminated = set_terminated


def _keep_experiment() -> None:
    """A notebook's `set_experiment` makes its experiment, but our run stays the one that `start_run()` takes up."""
    mlflow = sys.modules.get("mlflow")
    original = getattr(mlflow, "set_experiment", None)
    if mlflow is None or original is None or hasattr(original, "p2p_guard"):
        return

    def set_experiment(*args: Any, **kwargs: Any) -> Any:
        chosen = original(*args, **kwargs)
        if _attached and mlflow.get_tracking_uri() == _attached["tracking_uri"]:
            original(experiment_id=_attached["experiment"])
        return chosen

    set_experiment.p2p_guard = True  # type: ignore[attr-defined]  # a mark, so that it is put in once
    setattr(mlflow, "set_experiment", set_experiment)  # noqa: B010  # mypy knows a module object has no such name


def _leave_active_run() -> None:
    mlflow = sys.modules.get("mlflow")
    active = mlflow.active_run() if mlflow is not None and hasattr(mlflow, "active_run") else None
    if mlflow is not None and active is not None and active.info.run_id == _attached.get("run_id"):
        mlflow.end_run()
        os.environ.pop("MLFLOW_RUN_ID", None)
