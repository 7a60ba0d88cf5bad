"""Two runs beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from p2p import markup
from p2p.model import ValueRef

if TYPE_CHECKING:
    from p2p.history.run import Run


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same in two runs.

    Attributes:
        what: `parameter`, `metric`, `step`, `value`, `package`, `code` or `status`.
        name: whose; a value's is `step.name`.
        before, after: in the one and in the other; empty for what is not there.
    """

    what: str
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """What is different in two runs.

    Attributes:
        before, after: the runs.
        differences: parameters first, then what follows from them; empty for runs that are the same.
        equal_values: how many values have the same digest in both.
    """

    before: Run
    after: Run
    differences: tuple[Difference, ...]
    equal_values: int

    def value(self, step: str, name: str) -> str | None:
        """Where two values differ, as "place: a against b"; None when they are equal. Loads both."""
        from p2p.store import difference

        return difference(self.before[step][name], self.after[step][name])

    def __repr__(self) -> str:
        lines = [f"{d.what} {d.name}: {d.before or '-'} -> {d.after or '-'}" for d in self.differences]
        return "\n".join([self._told(), *lines])

    def _told(self) -> str:
        count = len(self.differences)
        return (
            f"{self.before.id[:8]} and {self.after.id[:8]}: {count or 'no'} difference{'s' * (count != 1)}, "
            f"{self.equal_values} equal value{'s' * (self.equal_values != 1)}"
        )

    def _repr_html_(self) -> str:
        rows = [[d.what, d.name, d.before, d.after] for d in self.differences]
        columns = ["what", "name", self.before.id[:8], self.after.id[:8]]
        parts = [markup.title(f"{self.before.name} and {self.after.name}", self._told())]
        return str(markup.joined([*parts, *([markup.table(columns, rows)] if rows else [])]))


def compare(before: Run, after: Run) -> Comparison:
    """What is different in `after`."""
    found = [
        *_facts("status", {"": before.status}, {"": after.status}),
        *_facts("parameter", before.params, after.params),
        *_facts("metric", before.metrics, after.metrics),
        *_facts("code", _code(before), _code(after)),
        *_facts("step", _states(before), _states(after)),
        *_facts("value", _described(before), _described(after)),
        *_facts("package", *(run.record.facts.get("packages") or {} for run in (before, after))),
    ]
    one, other = _digests(before), _digests(after)
    equal = sum(digest is not None and other.get(name) == digest for name, digest in one.items())
    return Comparison(before, after, tuple(found), equal)


def _facts(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        if name not in before or name not in after or before[name] != after[name]:
            yield Difference(what, name, _text(before, name), _text(after, name))


def _text(facts: Mapping[str, Any], name: str) -> str:
    if name not in facts:
        return ""
    value = facts[name]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _code(run: Run) -> dict[str, str]:
    facts = run.record.facts
    named = {"notebook": "notebook_digest", "git commit": "git_commit", "Python": "python"}
    return {name: str(facts[fact])[:12] for name, fact in named.items() if facts.get(fact)}


def _states(run: Run) -> dict[str, str]:
    """Cached or done, a step has been done."""
    return {step.name: "failed" if step.state.value == "failed" else "done" for step in run.record.steps}


def _described(run: Run) -> dict[str, str]:
    return {name: _value(ref) for name, ref in _values(run).items()}


def _digests(run: Run) -> dict[str, str | None]:
    return {name: ref.digest for name, ref in _values(run).items()}


def _values(run: Run) -> dict[str, ValueRef]:
    return {f"{step.name}.{name}": ref for step in run.record.steps for name, ref in step.outputs.items()}


def _value(ref: ValueRef) -> str:
    if ref.inline is not None:
        return ref.inline[:200]
    shape = " x ".join(f"{n:,}" for n in ref.shape)
    return f"{ref.type.removeprefix('builtins.')} {shape} {(ref.digest or 'not stored')[:12]}"
