"""The trace of a run: a span a step, built from the journal when the run has ended.

MLflow's exporter does not say when it could not store a trace. So a trace is looked for after it was sent, and one that
is not whole is removed and sent anew.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from p2p.pipeline import final_values
from p2p.tracking.passing import Unreachable

if TYPE_CHECKING:
    from mlflow import MlflowClient

_KEY = "p2p.run"
_Event = Mapping[str, Any]


def send_trace(
    client: MlflowClient, run_id: str, experiment: str, name: str, key: str, events: Sequence[_Event], *, first: bool
) -> None:
    """See that MLflow has the whole trace of the ended run, once.

    Args:
        client: of the run's store.
        run_id: the run in MLflow.
        experiment: MLflow's id of its experiment.
        name: the root span's.
        key: the run's.
        events: the run's, all of them.
        first: nobody has tried that before, so there is nothing to look for; a search costs more with each run.

    Raises:
        Unreachable: it has not.
    """
    spans = 1 + len({e["id"] for e in events if e["kind"] == "step_started"})
    if not first and _stored(client, run_id, experiment, key, spans):
        return
    trace_id = _Trace(run_id, experiment, name, key).build(events)
    if not _is_whole(client, trace_id, spans) and not _stored(client, run_id, experiment, key, spans):
        raise Unreachable("the trace was sent, but is not in the store")


def _is_whole(client: MlflowClient, trace_id: str, spans: int) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return len(client.get_trace(trace_id, display=False).data.spans) >= spans
    except MlflowException:
        return False


def _stored(client: MlflowClient, run_id: str, experiment: str, key: str, spans: int) -> bool:
    """Whether the whole trace is there; what is there in part, or twice, is removed."""
    known = _traces(client, run_id, experiment, key, include_spans=False)
    if not known:
        return False
    # MLflow passes over a trace without spans where it is asked for them, so both answers are needed.
    found = _traces(client, run_id, experiment, key, include_spans=True)
    whole = [name for name, trace in found.items() if len(trace.data.spans) >= spans]
    surplus = [name for name in known if name not in whole[:1]]
    if surplus:
        client.delete_traces(experiment, trace_ids=surplus)
    return bool(whole)


def _traces(client: MlflowClient, run_id: str, experiment: str, key: str, *, include_spans: bool) -> dict[str, Any]:
    """The traces of the run that p2p has sent, by their ids."""
    found = client.search_traces(locations=[experiment], run_id=run_id, include_spans=include_spans)
    return {trace.info.trace_id: trace for trace in found if trace.info.trace_metadata.get(_KEY) == key}


class _Trace:
    """Builds one trace from the events of a run."""

    def __init__(self, run_id: str, experiment: str, name: str, key: str) -> None:
        self._metadata = {"mlflow.sourceRun": run_id, _KEY: key}
        self._experiment = experiment
        self._name = name
        self._root: Any = None
        self._spans: dict[str, Any] = {}
        self._inputs: dict[str, tuple[str, ...]] = {}
        self._outputs: dict[str, Any] = {}
        self._wiring: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def build(self, events: Sequence[_Event]) -> str:
        """Make the spans and end them, which sends them; gives the trace's id."""
        import mlflow

        for event in events:
            handler = getattr(self, f"_on_{event['kind']}", None)
            if handler is not None:
                handler(event)
        mlflow.flush_trace_async_logging()
        return str(self._root.trace_id) if self._root is not None else ""

    def _span(self, name: str, kind: str, parent: Any, at: int, inputs: Any) -> Any:
        import mlflow

        root = parent is None
        # Only for the root: with an experiment, MLflow 3.17 fails to start any other span, and only warns of it.
        return mlflow.start_span_no_context(
            name, span_type=kind, parent_span=parent, inputs=inputs, metadata=self._metadata if root else None,
            experiment_id=self._experiment if root else None, start_time_ns=at,
        )  # fmt: skip

    def _on_run_opened(self, event: _Event) -> None:
        self._root = self._span(self._name, "CHAIN", None, event["at"], event.get("params", {}))

    def _on_step_started(self, event: _Event) -> None:
        parent = self._spans.get(event["parent_id"], self._root)
        inputs = {name: _shown(ref) for name, ref in event["inputs"].items()}
        self._inputs[event["id"]] = tuple(inputs)
        span = self._span(event["step"], "TASK", parent, event["at"], inputs)
        span.set_attributes({f"p2p.{k}": v for k, v in event.get("attributes", {}).items()})
        self._spans[event["id"]] = span

    def _on_step_retried(self, event: _Event) -> None:
        span = self._spans.get(event["id"])
        if span is not None:
            span.add_event(_exception_event(event))

    def _on_step_finished(self, event: _Event) -> None:
        if not event["parent"]:
            self._outputs.update({name: _shown(ref) for name, ref in event["outputs"].items()})
            self._wiring.append((self._inputs.get(event["id"], ()), tuple(event["outputs"])))
        span = self._spans.get(event["id"])
        if span is None:
            return
        failed = event["state"] == "failed"
        if "error_type" in event:
            span.add_event(_exception_event(event))
        facts = {"state": event["state"], "attempts": event["attempts"], "from": event.get("from_run", ""),
                 "fallback": event.get("fallback", False)}  # fmt: skip
        span.set_attributes({f"p2p.{name}": value for name, value in facts.items() if value})
        span.end(
            outputs={name: _shown(ref) for name, ref in event["outputs"].items()},
            status="ERROR" if failed else "OK",
            end_time_ns=event["at"],
        )

    def _on_run_finished(self, event: _Event) -> None:
        for span in self._spans.values():
            if span.end_time_ns is None:  # its process died in the middle of it
                span.end(status="ERROR", end_time_ns=event["at"])
        if self._root is not None:
            failed = event["status"] != "FINISHED"
            outputs = {name: self._outputs[name] for name in final_values(self._wiring)}
            self._root.end(outputs=outputs, status="ERROR" if failed else "OK", end_time_ns=event["at"])


def _exception_event(event: _Event) -> Any:
    from mlflow.entities import SpanEvent

    return SpanEvent(  # type: ignore[abstract]  # mypy takes its optional from_proto for abstract
"exception", timestamp=event["at"], attributes={
        "exception.type": event["error_type"], "exception.message": event["error"],
        "exception.stacktrace": event["traceback"],
    })  # fmt: skip


def _shown(ref: Mapping[str, Any]) -> Any:
    """What a span shows of a value: type, preview, and shape and digest where it has them."""
    facts = {"type": ref["type"], "preview": ref["preview"]}
    if ref["shape"]:
        facts["shape"] = list(ref["shape"])
    if ref["digest"]:
        facts["digest"] = ref["digest"][:16]
    return facts


logging.getLogger("mlflow.tracing").setLevel(logging.ERROR)
