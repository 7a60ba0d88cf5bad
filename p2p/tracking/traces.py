"""The trace of a run: a span a step, built from the journal when the run has ended, and sent together.

MLflow's own tracer sends each span as it ends, in a transaction of its own, and does not say when it could not. So the
spans are made here as MLflow stores them, and sent by its client. Their ids follow from the run and the steps: what is
sent a second time replaces what came the first time.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from p2p.pipeline import final_values

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Span, TraceInfo

_KEY = "p2p.run"
_AT_ONCE = 500  # spans in one request
_LONGEST_PREVIEW = 1000  # characters, as MLflow has them
_LONGEST_METADATA = 250
_Event = Mapping[str, Any]


def send_trace(
    client: MlflowClient, run_id: str, experiment: str, name: str, tags: Mapping[str, str], events: Sequence[_Event], *,
    first: bool,
) -> None:  # fmt: skip
    """See that MLflow has the whole trace of the ended run, once. Raises what its client raises.

    Args:
        client: of the run's store.
        run_id: the run in MLflow.
        experiment: MLflow's id of its experiment.
        name: the run's.
        tags: the run's.
        events: the run's, all of them.
        first: nobody has tried that before, so there is nothing to look for; a search costs more with each run.
    """
    from mlflow.tracing.client import TracingClient

    key = tags[_KEY]
    trace = _Trace(key, name)
    for event in events:
        trace.take(event)
    if not trace.spans:
        return
    tracing = TracingClient(client.tracking_uri)
    spans = trace.as_mlflow()
    metadata = {name: tags[name] for name in _OF_THE_RUN if name in tags} | {"mlflow.sourceRun": run_id, **_SCHEMA}
    tracing.start_trace(_info(trace.spans[""], trace.id, experiment, metadata, spans))  # first: to merge it costs twice
    for start in range(0, len(spans), _AT_ONCE):
        tracing.log_spans(experiment, spans[start : start + _AT_ONCE])
    if not first:
        _remove_others(client, run_id, experiment, key, trace.id)


_SCHEMA = {"mlflow.trace_schema.version": "3"}
_OF_THE_RUN = (_KEY, "mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


def _remove_others(client: MlflowClient, run_id: str, experiment: str, key: str, keep: str) -> None:
    """Remove what another try, by an earlier version of p2p, has sent under ids of MLflow's choice."""
    found = client.search_traces(locations=[experiment], run_id=run_id, include_spans=False)
    names = [trace.info.trace_id for trace in found if trace.info.trace_metadata.get(_KEY) == key]
    surplus = [name for name in names if name != keep]
    if surplus:
        client.delete_traces(experiment, trace_ids=surplus)


@dataclass
class _Span:
    """One span, as the journal tells of it.

    Attributes:
        facts: its attributes, as plain data.
        events: name, time and attributes of each.
        status: MLflow's word.
    """

    id: str
    parent: str | None
    name: str
    began: int
    facts: dict[str, Any]
    ended: int | None = None
    status: str = "OK"
    events: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)

    def end(self, at: int, status: str, outputs: Any = None) -> None:
        self.ended, self.status = at, status
        if outputs is not None:
            self.facts["mlflow.spanOutputs"] = outputs


class _Trace:
    """The trace of one run, from its events.

    Attributes:
        id: MLflow's id of it.
        spans: by the id of their step in the journal; the run's own under no id.
    """

    def __init__(self, key: str, name: str) -> None:
        self._digest = blake3(key.encode()).hexdigest(length=16)
        self._name = name
        self.id = f"tr-{self._digest}"
        self.spans: dict[str, _Span] = {}
        self._inputs: dict[str, tuple[str, ...]] = {}
        self._outputs: dict[str, Any] = {}
        self._wiring: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def take(self, event: _Event) -> None:
        handler = getattr(self, f"_on_{event['kind']}", None)
        if handler is not None:
            handler(event)

    def as_mlflow(self) -> list[Span]:
        """The spans as MLflow has them, the run's own first."""
        return [_as_mlflow(span, self._digest, self.id) for span in self.spans.values()]

    def _begin(self, step: str, parent: str | None, name: str, kind: str, at: int, inputs: Any) -> _Span:
        facts = {"mlflow.spanType": kind, "mlflow.spanInputs": inputs}
        span = _Span(_span_id(self._digest, step), parent, name, at, facts)
        self.spans[step] = span
        return span

    def _on_run_opened(self, event: _Event) -> None:
        self._begin("", None, self._name, "CHAIN", event["at"], event.get("params", {}))

    def _on_step_started(self, event: _Event) -> None:
        around = self.spans.get(event["parent_id"]) or self.spans[""]
        inputs = {name: _shown(ref) for name, ref in event["inputs"].items()}
        self._inputs[event["id"]] = tuple(inputs)
        span = self._begin(event["id"], around.id, event["step"], "TASK", event["at"], inputs)
        span.facts.update({f"p2p.{k}": v for k, v in event.get("attributes", {}).items()})

    def _on_step_retried(self, event: _Event) -> None:
        span = self.spans.get(event["id"])
        if span is not None:
            span.events.append(_exception(event))

    def _on_step_finished(self, event: _Event) -> None:
        outputs = {name: _shown(ref) for name, ref in event["outputs"].items()}
        if not event["parent"]:
            self._outputs.update(outputs)
            self._wiring.append((self._inputs.get(event["id"], ()), tuple(outputs)))
        span = self.spans.get(event["id"])
        if span is None:
            return
        if "error_type" in event:
            span.events.append(_exception(event))
        facts = {"state": event["state"], "attempts": event["attempts"], "from": event.get("from_run", ""),
                 "fallback": event.get("fallback", False)}  # fmt: skip
        span.facts.update({f"p2p.{name}": value for name, value in facts.items() if value})
        span.end(event["at"], "ERROR" if event["state"] == "failed" else "OK", outputs)

    def _on_run_finished(self, event: _Event) -> None:
        own = self.spans.get("")
        for span in self.spans.values():
            if span.ended is None and span is not own:  # its process died in the middle of it
                span.end(event["at"], "ERROR")
        if own is not None:
            outputs = {name: self._outputs[name] for name in final_values(self._wiring)}
            own.end(event["at"], "OK" if event["status"] == "FINISHED" else "ERROR", outputs)


def _span_id(digest: str, step: str) -> str:
    return blake3(f"{digest} {step}".encode()).hexdigest(length=8)


def _as_mlflow(span: _Span, digest: str, trace_id: str) -> Span:
    from mlflow.entities import Span as MlflowSpan
    from mlflow.entities import SpanStatus, SpanStatusCode
    from mlflow.tracing.utils import build_otel_context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan

    facts = {**span.facts, "mlflow.traceRequestId": trace_id}
    trace = int(digest, 16)
    return MlflowSpan(ReadableSpan(
        name=span.name, context=build_otel_context(trace, int(span.id, 16)),
        parent=build_otel_context(trace, int(span.parent, 16)) if span.parent else None,
        start_time=span.began, end_time=span.ended, status=SpanStatus(SpanStatusCode(span.status)).to_otel_status(),
        attributes={name: json.dumps(value) for name, value in facts.items()},
        events=[Event(name, attributes, at) for name, at, attributes in span.events],
        resource=Resource.get_empty(),  # what OpenTelemetry finds out about this process is not the run's
    ))  # fmt: skip


def _info(own: _Span, trace_id: str, experiment: str, metadata: Mapping[str, str], spans: Sequence[Span]) -> TraceInfo:
    """What MLflow lists of the trace, of which `own` is the run's span."""
    from mlflow.entities import Trace, TraceData, TraceInfo, TraceLocation, TraceState

    request, response = (json.dumps(own.facts.get(f"mlflow.span{side}")) for side in ("Inputs", "Outputs"))
    info = TraceInfo(
        trace_id=trace_id, trace_location=TraceLocation.from_experiment_id(experiment),
        request_time=own.began // 1_000_000, state=TraceState(own.status),
        execution_duration=((own.ended or own.began) - own.began) // 1_000_000,
        request_preview=_cut(request, _LONGEST_PREVIEW), response_preview=_cut(response, _LONGEST_PREVIEW),
        trace_metadata={**metadata, "mlflow.traceInputs": _cut(request, _LONGEST_METADATA),
                        "mlflow.traceOutputs": _cut(response, _LONGEST_METADATA)},
        tags={"mlflow.traceName": own.name},
    )  # fmt: skip
    with contextlib.suppress(ImportError):  # sizes are there to be listed
        from mlflow.tracing.utils import add_size_stats_to_trace_metadata

        add_size_stats_to_trace_metadata(Trace(info, TraceData(list(spans))))
    return info


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _exception(event: _Event) -> tuple[str, int, dict[str, Any]]:
    facts = {"type": "error_type", "message": "error", "stacktrace": "traceback"}
    return "exception", event["at"], {f"exception.{name}": event[of] for name, of in facts.items()}


def _shown(ref: Mapping[str, Any]) -> Any:
    """What a span shows of a value: type, preview, and shape and digest where it has them."""
    facts = {"type": ref["type"], "preview": ref["preview"]}
    if ref["shape"]:
        facts["shape"] = list(ref["shape"])
    if ref["digest"]:
        facts["digest"] = ref["digest"][:16]
    return facts
