"""MLflow's store as user code sees it inside a run of ours: what it logs to that run goes to the journal.

So `mlflow.log_metric` in a step costs microseconds, does not fail or wait when the store is down, and arrives exactly
once. Everything else (other runs, models, searches) goes to the real store, which is opened when it is first asked.
Checks that MLflow makes of names and values are made here too, so that a bad name is refused where it is logged.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from p2p.tracking.passing import passes
from p2p.tracking.patience import Patience
from p2p.tracking.sending import Sent, read_sent

_CATCH_UP = 3.0  # seconds that a read of the run waits for what was logged before it


@dataclass(frozen=True)
class OwnRun:
    """The run that user code in this process logs to.

    Attributes:
        run_id: the id that user code knows; empty as long as MLflow has not made the run.
        experiment: MLflow's id of its experiment; empty while the store gives none.
        tracking_uri: the store.
        directory: the run's directory.
        append: writes an event to its journal.
        patience: how long its store may keep user code waiting.
    """

    run_id: str
    experiment: str
    tracking_uri: str
    directory: Path
    append: Callable[..., None]
    patience: Patience = field(default_factory=Patience)

    def known_as(self, run_id: str, experiment: str) -> OwnRun:
        """The same run, which MLflow has made."""
        return replace(self, run_id=run_id, experiment=experiment)

    def telling(self, append: Callable[..., None]) -> OwnRun:
        """The same run, whose events go another way."""
        return replace(self, append=append)

    def sent(self) -> Sent:
        """How far the journal has been sent; waits a little for what is on its way."""
        limit = time.monotonic() + _CATCH_UP
        size = (self.directory / "journal.jsonl").stat().st_size
        found = read_sent(self.directory)
        while found.run_id and found.offset < size and time.monotonic() < limit:
            time.sleep(0.05)
            found = read_sent(self.directory)
        return found

    def log(self, **entities: Sequence[Any]) -> None:
        """Write metrics, params, tags or datasets to the journal."""
        self.append("logged", **{name: list(found) for name, found in entities.items() if found})

    def keep_files(self, local: str, folder: str | None) -> None:
        """Copy a file, or a directory's content, beside the journal, to be sent from there."""
        source, place = Path(local), Path("logged") / uuid.uuid4().hex[:12]
        target = self.directory / place / source.name
        target.parent.mkdir(parents=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
        self.append("artifact", path=(place / source.name).as_posix(), folder=folder or "")


class OwnRunStore:
    """Stands before a tracking store of MLflow; has its methods.

    Args:
        run: the run that is journaled.
        real: opens the real store.
    """

    def __init__(self, run: OwnRun, real: Callable[[], Any]) -> None:
        self._run = run
        self._real = real
        self._params: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def _ours(self, run_id: str) -> bool:
        return bool(run_id == self._run.run_id)

    def _their_id(self) -> str:
        """The id of the run in the store; ours, where the store has none yet."""
        return self._run.sent().run_id or self._run.run_id

    def get_run(self, run_id: str) -> Any:
        if not self._ours(run_id):
            return self._real().get_run(run_id)
        try:
            found = self._run.patience.ask(self._stored)
        except Exception as error:
            if not passes(error):
                raise
            found = None
        return _named(found, run_id) if found is not None else _made_up(self._run)

    def _stored(self) -> Any:
        """The run as the store has it; None where it has none yet."""
        sent = self._run.sent()
        return self._real().get_run(sent.run_id) if sent.run_id else None

    def get_metric_history(self, run_id: str, *args: Any, **kwargs: Any) -> Any:
        return self._real().get_metric_history(self._their_id() if self._ours(run_id) else run_id, *args, **kwargs)

    def update_run_info(self, run_id: str, run_status: Any, end_time: Any, run_name: str | None) -> Any:
        """The run's status is its driver's to change; a new name is a tag, as MLflow has it."""
        if not self._ours(run_id):
            return self._real().update_run_info(run_id, run_status, end_time, run_name)
        if run_name:
            self._run.log(tags=[{"key": "mlflow.runName", "value": run_name}])
        return self.get_run(run_id).info

    def log_metric(self, run_id: str, metric: Any) -> None:
        self.log_batch(run_id, [metric], [], [])

    def log_param(self, run_id: str, param: Any) -> Any:
        self.log_batch(run_id, [], [param], [])
        return param

    def set_tag(self, run_id: str, tag: Any) -> None:
        self.log_batch(run_id, [], [], [tag])

    def log_batch(self, run_id: str, metrics: Sequence[Any], params: Sequence[Any], tags: Sequence[Any]) -> None:
        if not self._ours(run_id):
            self._real().log_batch(run_id, metrics, params, tags)
            return
        metrics, params, tags = self._checked(metrics, params, tags)
        self._run.log(
            metrics=[_metric(m) for m in metrics],
            params=[{"key": p.key, "value": str(p.value)} for p in params],
            tags=[{"key": t.key, "value": str(t.value)} for t in tags],
        )

    def log_batch_async(self, run_id: str, metrics: Any, params: Any, tags: Any) -> Any:
        if not self._ours(run_id):
            return self._real().log_batch_async(run_id, metrics, params, tags)
        from mlflow.utils.async_logging.run_operations import RunOperations

        self.log_batch(run_id, metrics, params, tags)
        return RunOperations([])  # type: ignore[no-untyped-call]  # it has no types

    def log_inputs(self, run_id: str, datasets: Any = None, models: Any = None) -> None:
        if not self._ours(run_id):
            self._real().log_inputs(run_id, datasets, models)
            return
        if datasets:
            self._run.log(datasets=[_dataset(found) for found in datasets])
        if models:
            self._real().log_inputs(self._their_id(), None, models)

    def log_outputs(self, run_id: str, models: Any) -> None:
        self._real().log_outputs(self._their_id() if self._ours(run_id) else run_id, models)

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        self._real().record_logged_model(self._their_id() if self._ours(run_id) else run_id, mlflow_model)

    def delete_tag(self, run_id: str, key: str) -> None:
        self._real().delete_tag(self._their_id() if self._ours(run_id) else run_id, key)

    def _checked(self, metrics: Any, params: Any, tags: Any) -> tuple[Any, Any, Any]:
        """What MLflow would take of it; raises what it raises for the rest."""
        from mlflow.exceptions import MlflowException
        from mlflow.utils.validation import _validate_batch_log_data

        metrics, params, tags = _validate_batch_log_data(metrics, params, tags)  # type: ignore[no-untyped-call]  # same
        for param in params:
            if self._params.get(param.key, param.value) != param.value:
                raise MlflowException.invalid_parameter_value(
                    f"The param '{param.key}' was logged as {self._params[param.key]!r:.200} before; "
                    f"MLflow does not change it to {param.value!r:.200}."
                )
        self._params.update((param.key, param.value) for param in params)
        return metrics, params, tags


def _metric(metric: Any) -> dict[str, Any]:
    facts = {"key": metric.key, "value": float(metric.value), "timestamp": metric.timestamp, "step": metric.step}
    more = ("model_id", "dataset_name", "dataset_digest")
    return {**facts, **{name: getattr(metric, name) for name in more if getattr(metric, name, None)}}


def _dataset(found: Any) -> dict[str, Any]:
    names = ("name", "digest", "source_type", "source", "schema", "profile")
    facts = {name: getattr(found.dataset, name) for name in names}
    return {**facts, "tags": {tag.key: tag.value for tag in found.tags}}


def _named(run: Any, run_id: str) -> Any:
    """The run under the id that user code knows it by."""
    run.info._run_id = run_id
    return run


def _made_up(run: OwnRun) -> Any:
    """The run as far as it is known here, while the store does not answer."""
    from mlflow.entities import Run, RunData, RunInfo, RunStatus

    info = RunInfo(
        run_id=run.run_id, experiment_id=run.experiment or "0", user_id="", status=RunStatus.to_string(
            RunStatus.RUNNING), start_time=int(time.time() * 1000), end_time=None, lifecycle_stage="active",
        artifact_uri=(run.directory / "logged").as_uri(), run_name="",
    )  # fmt: skip
    return Run(info, RunData())
