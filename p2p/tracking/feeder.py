"""Tells MLflow what the journal says: a run, its trace with a span per step, metrics, datasets, artifacts."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p2p.pipeline import final_values

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LONGEST_PARAM = 6000
_Event = Mapping[str, Any]


class Feeder:
    """Turns events into calls of MLflow's client; one feeder a run.

    Args:
        client: a client of the run's store.
        run_id: the MLflow run.
        experiment: the id of its experiment, where its trace goes.
        name: the run's name, which its trace's root span gets.
        directory: the run's directory, where artifacts lie.
    """

    def __init__(self, client: MlflowClient, run_id: str, experiment: str, name: str, directory: Path) -> None:
        self.client = client
        self.run_id = run_id
        self.experiment = experiment
        self.name = name
        self.directory = directory
        self._root: Any = None
        self._spans: dict[str, Any] = {}
        self._metrics: list[Any] = []
        self._order: list[str] = []
        self._inputs: dict[str, tuple[str, ...]] = {}
        self._outputs: dict[str, Any] = {}
        self._wiring: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def handle(self, event: _Event) -> None:
        """Tell MLflow of one event; kinds that it need not know are passed over."""
        handler = getattr(self, f"_on_{event['kind']}", None)
        if handler is not None:
            handler(event)

    def flush(self) -> None:
        """Send the metrics that have gathered, in one batch."""
        if self._metrics:
            batch, self._metrics = self._metrics, []
            self.client.log_batch(self.run_id, metrics=batch)

    def _on_run_opened(self, event: _Event) -> None:
        from mlflow.entities import Param

        params = event.get("params", {})
        entities = [Param(name, _text(value)[:_LONGEST_PARAM]) for name, value in params.items()]
        self.client.log_batch(self.run_id, params=entities)
        self.client.log_dict(self.run_id, {"python": event.get("python"), "packages": event.get("packages")},
                             "environment.json")  # fmt: skip
        self._root = self._span(self.name, "CHAIN", None, event["at"], inputs=params)

    def _span(self, name: str, kind: str, parent: Any, at: int, inputs: Any) -> Any:
        import mlflow

        metadata = {"mlflow.sourceRun": self.run_id} if parent is None else None
        # Only for the root: with an experiment, MLflow 3.17 fails to start any other span, and only warns of it.
        experiment = self.experiment if parent is None else None
        return mlflow.start_span_no_context(
            name, span_type=kind, parent_span=parent, inputs=inputs, metadata=metadata, experiment_id=experiment,
            start_time_ns=at,
        )  # fmt: skip

    def _on_step_started(self, event: _Event) -> None:
        parent = self._spans.get(event["parent_id"], self._root)
        inputs = {name: _shown(ref) for name, ref in event["inputs"].items()}
        self._inputs[event["id"]] = tuple(inputs)
        span = self._span(event["step"], "TASK", parent, event["at"], inputs)
        span.set_attributes({f"p2p.{k}": v for k, v in event.get("attributes", {}).items()})
        self._spans[event["id"]] = span
        if not event["parent"] and event["step"] not in self._order:
            self._order.append(event["step"])

    def _on_step_retried(self, event: _Event) -> None:
        span = self._spans.get(event["id"])
        if span is not None:
            span.add_event(_exception_event(event))

    def _on_step_finished(self, event: _Event) -> None:
        self._step_metrics(event)
        if not event["parent"]:
            self._outputs.update({name: _shown(ref) for name, ref in event["outputs"].items()})
            self._wiring.append((self._inputs.get(event["id"], ()), tuple(event["outputs"])))
        span = self._spans.get(event["id"])
        if span is None:
            return
        failed = event["state"] == "failed"
        if failed:
            span.add_event(_exception_event(event))
        span.set_attributes({"p2p.state": event["state"], "p2p.attempts": event["attempts"]})
        span.end(
            outputs={name: _shown(ref) for name, ref in event["outputs"].items()},
            status="ERROR" if failed else "OK",
            end_time_ns=event["at"],
        )

    def _step_metrics(self, event: _Event) -> None:
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

        self._metrics.append(Metric(_allowed(name), float(value), at, 0))

    def _on_dataset(self, event: _Event) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        schema = {
            "mlflow_colspec": [{"type": _column_type(t), "name": n, "required": True} for n, t in event["columns"]]
        }
        dataset = Dataset(
            name=event["name"], digest=event["digest"][:36], source_type="code",
            source=json.dumps({"tags": {"p2p.step": event["step"]}}),
            schema=json.dumps(schema), profile=json.dumps({"num_rows": event["rows"]}),
        )  # fmt: skip
        context = InputTag("mlflow.data.context", event["step"])
        self.client.log_inputs(self.run_id, datasets=[DatasetInput(dataset, [context])])

    def _on_artifact(self, event: _Event) -> None:
        path = self.directory / event["path"]
        if path.is_file():
            self.client.log_artifact(self.run_id, str(path), event.get("folder") or None)

    def _on_run_finished(self, event: _Event) -> None:
        try:
            self._end_trace(event)
            self._last_words(event)
        finally:
            # Below the public method, which a guard may hold back in a process that also runs the user's code.
            self.client._tracking_client.set_terminated(self.run_id, event["status"])  # type: ignore[no-untyped-call]

    def _end_trace(self, event: _Event) -> None:
        import mlflow

        for span in self._spans.values():
            if span.end_time_ns is None:  # its process died in the middle of it
                span.end(status="ERROR", end_time_ns=event["at"])
        if self._root is not None:
            failed = event["status"] != "FINISHED"
            outputs = {name: self._outputs[name] for name in final_values(self._wiring)}
            self._root.end(outputs=outputs, status="ERROR" if failed else "OK", end_time_ns=event["at"])
        mlflow.flush_trace_async_logging()

    def _last_words(self, event: _Event) -> None:
        tags = {"p2p.steps": ", ".join(self._order), **_failure_tags(event)}
        for name, value in tags.items():
            self.client.set_tag(self.run_id, name, value[:5000])
        self.flush()


def _failure_tags(event: _Event) -> dict[str, str]:
    names = ("failed_step", "failed_cell", "error")
    return {f"p2p.{name}": str(event[name]) for name in names if event.get(name)}


def _exception_event(event: _Event) -> Any:
    from mlflow.entities import SpanEvent

    return SpanEvent(  # type: ignore[abstract]  # mypy takes its optional from_proto for abstract
"exception", timestamp=event["at"], attributes={
        "exception.type": event["error_type"], "exception.message": event["error"],
        "exception.stacktrace": event["traceback"],
    })  # fmt: skip


def _shown(ref: Mapping[str, Any]) -> Any:
    """What a span shows of a value: plain data as itself, anything else as type, shape, digest and preview."""
    facts = {"type": ref["type"], "preview": ref["preview"]}
    if ref["shape"]:
        facts["shape"] = list(ref["shape"])
    if ref["digest"]:
        facts["digest"] = ref["digest"][:16]
    return facts


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _allowed(name: str) -> str:
    """The name with what MLflow does not take in a metric's name replaced."""
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in name)[:250]


def _column_type(dtype: str) -> str:
    """MLflow's name for a column type."""
    table = {"int64": "long", "int32": "integer", "float64": "double", "float32": "float", "bool": "boolean"}
    return table.get(dtype, "datetime" if dtype.startswith("datetime") else "string")


logging.getLogger("mlflow.tracing").setLevel(logging.ERROR)
