"""Letting a user's own MLflow calls land in our run, without letting them end it.

MLflow's `start_run()` takes up the run named by `MLFLOW_RUN_ID`, once, and whoever takes it up ends it: an
`mlflow.log_metric` in a notebook would close its driver's run when the kernel exits. So in a process that only writes
to a run, ending that run is a no-op that names the run in the environment again, for the next `start_run()`; and what
is logged to it goes to the journal (see `ownrun`), so that a store that is down neither delays nor fails the code.
Code may import MLflow wherever it likes: all of this is put in before that import ends.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from typing import Any

from p2p.tracking.arriving import when_imported
from p2p.tracking.later import LaterRun
from p2p.tracking.ownrun import OwnRun, OwnRunStore
from p2p.tracking.passing import passes

_attached: dict[str, str] = {}
_ours: dict[str, str] = {}
_run: list[OwnRun] = []
_later: list[LaterRun] = []
_listening: list[bool] = []
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty")
# Code that may take the environment along into another program.
_ASKS = re.compile(
    r"mlflow|environ|getenv|subprocess|Popen|multiprocessing|^\s*!|^\s*%.*\b(?:sh|bash|script|sx|system)\b",
    re.MULTILINE,
)
_stores: dict[str, OwnRunStore] = {}
# A user's own call to a store that is down (for a model, say) should fail while somebody still waits for it.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


def attach(run: OwnRun) -> None:
    """From now on, MLflow's fluent calls in this process land in `run`, which only its driver ends.

    A run that has no id yet is attached as soon as somebody asks for it: see `attach_later`.
    """
    if not run.run_id:
        attach_later(LaterRun(run.directory, run.known_as), run.tracking_uri)
        return
    _run[:] = [run]
    _stores.clear()
    _attached.update(run_id=run.run_id, experiment=run.experiment, tracking_uri=run.tracking_uri)
    _set_if_absent("MLFLOW_TRACKING_URI", run.tracking_uri)
    for name, value in _PATIENCE.items():
        _set_if_absent(name, value)
    when_imported("mlflow", _arrived)
    arm()
    install()


def attach_later(run: LaterRun, tracking_uri: str) -> None:
    """As `attach`, as soon as somebody asks for the run: MLflow is imported, or a program is started that may do so."""
    _later[:] = [run]
    _set_if_absent("MLFLOW_TRACKING_URI", tracking_uri)
    when_imported("mlflow", _arrived)
    if not _listening:
        sys.addaudithook(_before_a_program)
        _listening.append(True)
    settle()


def _arrived() -> None:
    """MLflow has just been imported; the next thing that is done may be a call of it."""
    settle(asked=True)
    if _attached:
        arm()
        install()


def settle(*, asked: bool = False) -> None:
    """Attach the run that was to come later, if its id is there by now; waits for that when it is `asked` for."""
    if not _later:
        return
    run = _later[0].run(wait=asked or "mlflow" in sys.modules)
    if run is not None:
        _later.clear()
        os.environ["P2P_RUN"] = run.run_id
        attach(run)


def run_id() -> str:
    """MLflow's id of the attached run, which is waited for; empty where there is none."""
    settle(asked=True)
    return _run[0].run_id if _run else ""


def _before_a_program(event: str, _arguments: object) -> None:
    """A program finds the run in its environment."""
    if _later and event in _PROGRAMS:
        settle(asked=True)


def detach() -> None:
    """Forget the run."""
    _later.clear()
    if _attached and os.environ.get("MLFLOW_RUN_ID") == _attached["run_id"]:
        del os.environ["MLFLOW_RUN_ID"]
    _leave_active_run()
    _attached.clear()
    _run.clear()
    _stores.clear()
    for name, value in _ours.items():  # another run has another experiment
        if os.environ.get(name) == value:
            del os.environ[name]
    _ours.clear()


def outside() -> dict[str, str]:
    """The environment of a command that is no part of the attached run, and finds nothing of it."""
    own = {"MLFLOW_RUN_ID": _attached.get("run_id"), "P2P_RUN": _attached.get("run_id"), **_ours}
    return {name: value for name, value in os.environ.items() if own.get(name) != value}


def arm() -> None:
    """Name the run in the environment, unless MLflow is already in it or the user chose another store."""
    settle()
    if not _attached:
        return
    mlflow = sys.modules.get("mlflow")
    if mlflow is not None and hasattr(mlflow, "active_run"):
        if mlflow.active_run() is not None or mlflow.get_tracking_uri() != _attached["tracking_uri"]:
            return
        _choose_experiment(mlflow)
    os.environ["MLFLOW_RUN_ID"] = _attached["run_id"]
    if _attached["experiment"]:
        _set_if_absent("MLFLOW_EXPERIMENT_ID", _attached["experiment"])


def _set_if_absent(name: str, value: str) -> None:
    if name not in os.environ:
        os.environ[name] = _ours[name] = value


def _choose_experiment(mlflow: Any) -> None:
    """A notebook's own `set_experiment` would make MLflow refuse to take up our run."""
    fluent = sys.modules.get("mlflow.tracking.fluent")
    if _attached["experiment"] and getattr(fluent, "_active_experiment_id", None) not in (
        None, _attached["experiment"],
    ):  # fmt: skip
        mlflow.set_experiment(experiment_id=_attached["experiment"])


def asks(source: str) -> bool:
    """Whether this code may ask for the run, or take the environment in which it is named along into a program."""
    return _ASKS.search(source) is not None


def prepare(source: str) -> None:
    """Put the guard in before this code runs: code that imports MLflow may start and end a run before it is done."""
    if _later and asks(source):
        settle(asked=True)
    if _attached and "mlflow" in source:
        with contextlib.suppress(ImportError):
            importlib.import_module("mlflow")
    install()


def install() -> None:
    """Make ending the attached run a no-op in this process; does nothing before MLflow's client is loaded."""
    settle()
    _keep_experiment()
    _journal_what_is_logged()
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
        ours = bool(_run) and mlflow.get_tracking_uri() == _attached["tracking_uri"]
        if ours and not _answers(mlflow):
            return _made_up_experiment(*args, **kwargs)
        chosen = original(*args, **kwargs)
        if ours and _attached["experiment"]:
            original(experiment_id=_attached["experiment"])
        return chosen

    set_experiment.p2p_guard = True  # type: ignore[attr-defined]  # a mark, so that it is put in once
    setattr(mlflow, "set_experiment", set_experiment)  # noqa: B010  # mypy knows a module object has no such name


def _answers(mlflow: Any) -> bool:
    """Whether the store answers, which is asked before a call that would hang or fail without it."""
    try:
        _run[0].patience.ask(lambda: mlflow.MlflowClient().get_experiment_by_name("Default"))
    except Exception as error:  # noqa: BLE001  # what it is, is asked next
        return not passes(error)
    return True


def _made_up_experiment(name: str | None = None, experiment_id: str | None = None, **_options: Any) -> Any:
    """What `set_experiment` gives while the store does not answer: what is logged goes to our run all the same."""
    from mlflow.entities import Experiment

    return Experiment(experiment_id or _attached["experiment"] or "0", name or "", "", "active")


def _journal_what_is_logged() -> None:
    """Put our store before MLflow's, and take in the files that are logged to our run."""
    service = sys.modules.get("mlflow.tracking._tracking_service.utils")
    client = getattr(sys.modules.get("mlflow.tracking._tracking_service.client"), "TrackingServiceClient", None)
    registry = getattr(service, "_tracking_store_registry", None)
    if registry is None or client is None or hasattr(registry.get_store, "p2p_guard"):
        return
    get_store = registry.get_store

    def get_own_store(store_uri: Any = None, artifact_uri: Any = None) -> Any:
        uri = service._resolve_tracking_uri(store_uri)  # type: ignore[union-attr]  # the registry came from it
        if not _run or uri != _run[0].tracking_uri:
            return get_store(store_uri, artifact_uri)
        run = _run[0]
        return _stores.setdefault(run.run_id, OwnRunStore(run, lambda: get_store(uri)))

    get_own_store.p2p_guard = True  # type: ignore[attr-defined]  # a mark, so that it is put in once
    registry.get_store = get_own_store
    _take_in_files(client)


def _take_in_files(client: Any) -> None:
    names = ("log_artifact", "log_artifacts")
    for name in names:
        setattr(client, name, _keeping(getattr(client, name), whole=name == "log_artifact"))


def _keeping(original: Any, *, whole: bool) -> Any:
    """`log_artifact(s)` that keeps files logged to our run beside its journal; a folder's name counts when `whole`."""

    def log(self: Any, run_id: str, local: Any, artifact_path: str | None = None) -> None:
        if not _run or run_id != _run[0].run_id:
            original(self, run_id, local, artifact_path)
            return
        path = os.fspath(local)
        name = os.path.basename(os.path.normpath(path)) if whole and os.path.isdir(path) else ""  # noqa: PTH112, PTH119  # as MLflow names it
        folder = "/".join(part for part in (artifact_path, name) if part)
        _run[0].keep_files(path, folder or None)

    return log


def _leave_active_run() -> None:
    mlflow = sys.modules.get("mlflow")
    active = mlflow.active_run() if mlflow is not None and hasattr(mlflow, "active_run") else None
    if mlflow is not None and active is not None and active.info.run_id == _attached.get("run_id"):
        mlflow.end_run()
        os.environ.pop("MLFLOW_RUN_ID", None)
