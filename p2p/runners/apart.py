"""Which names would show a change in one process and do not when a worker makes it: it has copies of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from p2p.cache.sharing import groups, held
from p2p.errors import RunFailed
from p2p.pipeline import Task
from p2p.runners.worker import Answer


class Apart:
    """The names whose values shared an object or memory on a worker, and are apart since they came from there."""

    def __init__(self) -> None:
        self._groups: list[set[str]] = []

    def follow(self, told: Iterable[Sequence[str]], outputs: Collection[str]) -> None:
        """A step has given `outputs`; `told` are the groups of its worker."""
        new = [{_name(place) for place in group} | self._known_with(group) for group in told]
        given = [{_name(place) for place in group if place.startswith("out ")} for group in told]
        kept = [(group - {*outputs}) | mine for group, mine in zip(new, given, strict=True)]
        self._groups = [group for group in [*(old - {*outputs} for old in self._groups), *kept] if len(group) > 1]

    def _known_with(self, group: Sequence[str]) -> set[str]:
        """What the inputs of a worker's group shared before."""
        taken = [_name(place) for place in group if place.startswith("in ")]
        return {other for name in taken for other in _together_with(name, self._groups)}

    def sharing(self, changed: Collection[str], values: Mapping[str, Any]) -> dict[str, list[str]]:
        """By changed name: the other names that show its change in one process, here or on the worker it came from."""
        if not changed:
            return {}
        found = [*({*group} for group in groups(held(values))), *self._groups]
        return {name: sorted(_together_with(name, found) & {*values} - {name}) for name in changed}


def _together_with(name: str, found: Iterable[set[str]]) -> set[str]:
    return {other for group in found if name in group for other in group}


def _name(place: str) -> str:
    return place.partition(" ")[2]


def refuse_hidden_changes(task: Task, others: Mapping[str, Sequence[str]], answer: Answer) -> None:
    """A worker changes its copy. Who else has the value here would go on with the old one, unlike in one process.

    Not so what was sent with it, shared with it there too, and comes back with it.
    """
    there = [{_name(place) for place in group} for group in answer.groups]
    for name in answer.changed:
        back = {*task.gives} & _together_with(name, there)
        left = [other for other in others[name] if other not in back]
        if name not in task.gives or left:
            seen = f"is also '{left[0]}', or shares with it" if left else "is not among its outputs"
            raise RunFailed(
                f"Step '{task.step}' changes its input '{name}' in place, which {seen}: on a worker, unseen.",
                cure=f"Return '{name}' and take it from there, or run with --engine local.",
                fields={"step": task.step, "value": name},
            )
