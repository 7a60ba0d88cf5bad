"""Tells MLflow what the journal says: params, metrics, tags, datasets, artifacts; in batches, each thing once.

Everything sent here may be sent again without a trace: MLflow keeps one metric for the same name, value, time and step,
one param and tag for a name, one dataset for a digest, one artifact for a path. So whoever does not know whether the
last batch arrived sends it again.
"""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p2p.tracking.passing import passes, reason

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST_PARAM = 6000
_LONGEST_TAG = 5000
_Event = Mapping[str, Any]


class Feeder:
    """Turns events into calls of MLflow's client; one feeder a run.

    Args:
        client: a client of the run's store.
        run_id: the MLflow run.
        directory: the run's directory, where artifacts lie.
        artifact_uri: where MLflow keeps the run's artifacts; it is asked, when not given.

    Attributes:
        refused: what MLflow answered that it does not take, one line each.
    """

    def __init__(self, client: MlflowClient, run_id: str, directory: Path, artifact_uri: str = "") -> None:
        self.client = client
        self.run_id = run_id
        self.directory = directory
        self.refused: list[str] = []
        self._artifact_uri = artifact_uri
        self._batch: dict[str, list[Any]] = {"metrics": [], "params": [], "tags": []}
        self._calls: list[tuple[str, Callable[[], Any]]] = []

    def take(self, event: _Event) -> None:
        """Note what MLflow is to know of one event; kinds that it need not know are passed over."""
        handler = getattr(self, f"_on_{event['kind']}", None)
        if handler is not None:
            self._guarded(f"the event {event['kind']}", lambda: handler(event))

    def send(self) -> None:
        """Send what has gathered. Raises what passes by itself, and keeps the rest for the next time."""
        batch = self._batch
        if any(batch.values()):
            self._send_batch(batch)
            self._batch = {name: [] for name in batch}
        while self._calls:
            what, call = self._calls[0]
            self._guarded(what, call)
            self._calls.pop(0)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags of the run with the next batch."""
        from mlflow.entities import RunTag

        self._batch["tags"] += [RunTag(name, value[:_LONGEST_TAG]) for name, value in tags.items()]

    def _guarded(self, what: str, call: Callable[[], Any]) -> None:
        """One thing that MLflow does not take must not keep the rest, least of all the run's end, from it."""
        try:
            call()
        except Exception as error:
            if passes(error):
                raise
            self.refused.append(f"{what}: {reason(error)}")

    def _send_batch(self, batch: Mapping[str, list[Any]]) -> None:
        try:
            self.client.log_batch(self.run_id, batch["metrics"], batch["params"], batch["tags"])
        except Exception as error:
            if passes(error):
                raise
            self._send_singly(batch)  # one bad name spoils a batch for MLflow

    def _send_singly(self, batch: Mapping[str, list[Any]]) -> None:
        empty: dict[str, list[Any]] = {name: [] for name in batch}
        for name, entities in batch.items():
            for entity in entities:
                alone = {**empty, name: [entity]}
                self._guarded(
                    f"{name[:-1]} {entity.key!r:.80}",
                    functools.partial(
                        self.client.log_batch, self.run_id, alone["metrics"], alone["params"], alone["tags"]
                    ),
                )

    def _call(self, what: str, call: Callable[[], Any]) -> None:
        self._calls.append((what, call))

    def _on_run_opened(self, event: _Event) -> None:
        from mlflow.entities import Param

        texts = {name: _text(value) for name, value in event.get("params", {}).items()}
        self._batch["params"] += [Param(name, _shortened(text)) for name, text in texts.items()]
        if any(len(text) > LONGEST_PARAM for text in texts.values()):
            self._call("parameters.json", lambda: self._keep_json("parameters.json", texts))
        surroundings = {"python": event.get("python"), "packages": event.get("packages")}
        self._call("environment.json", lambda: self._keep_json("environment.json", surroundings))

    def _on_step_finished(self, event: _Event) -> None:
        step, at = event["step"], event["at"] // 1_000_000
        self._metric(f"{step}/seconds", event["seconds"], at)
        self._metric(f"{step}/attempts", event["attempts"], at)
        if event["outputs"]:
            self._metric(f"{step}/output_bytes", sum(ref["nbytes"] for ref in event["outputs"].values()), at)
        for name, ref in event["outputs"].items():
            if len(ref["shape"]) == 2:
                self._metric(f"{step}/{name}/rows", ref["shape"][0], at)

    def _metric(self, name: str, value: float, at: int) -> None:
        from mlflow.entities import Metric

        self._batch["metrics"].append(Metric(_allowed(name), float(value), at, 0))

    def _on_logged(self, event: _Event) -> None:
        """What the user's own code logged with MLflow."""
        from mlflow.entities import Metric, Param, RunTag

        self._batch["metrics"] += [Metric(**m) for m in event.get("metrics", ())]
        self._batch["params"] += [Param(**p) for p in event.get("params", ())]
        self._batch["tags"] += [RunTag(**t) for t in event.get("tags", ())]
        if event.get("datasets"):
            inputs = [_dataset_input(facts) for facts in event["datasets"]]
            self._call("a dataset", lambda: self.client.log_inputs(self.run_id, datasets=inputs))

    def _on_dataset(self, event: _Event) -> None:
        schema = {
            "mlflow_colspec": [{"type": _column_type(t), "name": n, "required": True} for n, t in event["columns"]]
        }
        found = _dataset_input({
            "name": event["name"], "digest": event["digest"][:36], "source_type": "code",
            "source": json.dumps({"tags": {"p2p.step": event["step"]}}), "schema": json.dumps(schema),
            "profile": json.dumps({"num_rows": event["rows"]}), "tags": {"mlflow.data.context": event["step"]},
        })  # fmt: skip
        self._call("a dataset", lambda: self.client.log_inputs(self.run_id, datasets=[found]))

    def _on_artifact(self, event: _Event) -> None:
        path, folder = self.directory / event["path"], event.get("folder") or None
        if path.is_file():
            self._call(event["path"], lambda: self._artifacts.log_artifact(str(path), folder))
        elif path.is_dir():
            self._call(event["path"], lambda: self._artifacts.log_artifacts(str(path), folder))

    def _keep_json(self, name: str, data: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_text(json.dumps(data, indent=2), encoding="utf-8")
            self._artifacts.log_artifact(str(path))

    @functools.cached_property
    def _artifacts(self) -> Any:
        """MLflow's client would read the whole run to find it."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
        from mlflow.utils.uri import add_databricks_profile_info_to_artifact_uri

        at = self.client.tracking_uri
        uri = self._artifact_uri or self.client.get_run(self.run_id).info.artifact_uri
        uri = add_databricks_profile_info_to_artifact_uri(uri, at)  # type: ignore[no-untyped-call]  # it has no types
        return get_artifact_repository(uri, tracking_uri=at)


def _dataset_input(facts: Mapping[str, Any]) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(**{k: v for k, v in facts.items() if k != "tags"})
    return DatasetInput(dataset, [InputTag(key, value) for key, value in facts["tags"].items()])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shortened(text: str) -> str:
    """A text that MLflow takes as a param; a longer one is cut, and says so and where the whole of it is."""
    if len(text) <= LONGEST_PARAM:
        return text
    note = f"... ({len(text):,} characters, whole in the artifact parameters.json)"
    return text[: LONGEST_PARAM - len(note)] + note


def _allowed(name: str) -> str:
    """The name with what MLflow does not take in a metric's name replaced."""
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in name)[:250]


def _column_type(dtype: str) -> str:
    """MLflow's name for a column type."""
    table = {"int64": "long", "int32": "integer", "float64": "double", "float32": "float", "bool": "boolean"}
    return table.get(dtype, "datetime" if dtype.startswith("datetime") else "string")
