"""A kept result, put back: its values loaded at once, or only found to be there, and loaded when something takes them.

Late is what nobody can tell from having been loaded at once: values that stand alone. A result that shares objects with
others, changes its inputs or moves the random generators is loaded as a whole, before anything follows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from p2p.cache.entries import Kept
from p2p.cache.sharing import restored
from p2p.errors import StoreError
from p2p.execution import Late, Namespace, Recalled, Work, current_services, generators, run_step
from p2p.execution.late import slot_of
from p2p.execution.rewind import can_be_made
from p2p.model import ValueRef
from p2p.store.values import is_inline

if TYPE_CHECKING:
    from p2p.cache.memory import RunMemory

_log = logging.getLogger("p2p.cache")


def recalled(kept: Kept, work: Work, run: RunMemory) -> Recalled:
    """The kept result of a step.

    Raises:
        StoreError: one of its values is missing or damaged, or is loaded at once and does not load.
    """
    alone = kept.together is None and kept.random is None and not kept.changed
    return _late(kept, work, run) if alone and work.anew is not None else _whole(kept, work, run)


def _whole(kept: Kept, work: Work, run: RunMemory) -> Recalled:
    values = run.values
    if kept.random is not None:
        run.load_late()
    together: dict[str, Any] = values.get(kept.together) if kept.together is not None else {}
    changed = {name: values.get(ref) for name, ref in kept.changed.items()}
    given = {name: None if f"out {name}" in together or name in kept.same else values.get(ref)
             for name, ref in {**kept.outputs, **kept.others}.items()}  # fmt: skip
    random = values.get(kept.random) if kept.random is not None else None
    given = restored(work.inputs, given, changed, kept.same, together)
    outputs = {name: given[name] for name in kept.outputs}
    others = {**_rebound(work, changed), **{name: given[name] for name in kept.others}}
    # Only when the result is in its place: the imports that go with it load the generators.
    return Recalled(outputs, kept.outputs, others, kept.form, settle=lambda: generators.put_back(random or {}))


def _rebound(work: Work, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Changed inputs that could not be changed in place: at least their own names stand for what they became."""
    return {name: value for name, value in changed.items() if not can_be_made(work.inputs[name], value)}


def _late(kept: Kept, work: Work, run: RunMemory) -> Recalled:
    refs = {**kept.outputs, **kept.others}
    slots = {name: _slot(name, ref, kept, work, run) for name, ref in refs.items()}
    for name, slot in slots.items():
        if isinstance(slot, Late) and _has_met(name, kept, work, run):
            slot.met.append(work.contracts[name])
    given = Namespace(slots)
    return Recalled(given.only(kept.outputs), kept.outputs, given.only(kept.others), kept.form)


def _slot(name: str, ref: ValueRef, kept: Kept, work: Work, run: RunMemory) -> Any:
    """What a name of the result stands for: an input, a few plain data, or a value whose bytes have been checked."""
    if name in kept.same:
        return slot_of(work.inputs, kept.same[name])
    if is_inline(ref):
        return run.values.get(ref)
    run.values.verify(ref)
    return run.found(_loading(name, ref, work, run))


def _has_met(name: str, kept: Kept, work: Work, run: RunMemory) -> bool:
    """Whether this very value was held against a contract like the one that it has now."""
    return name in kept.met and name in work.contracts and kept.met[name] == run.agreed(work.contracts[name])


def _loading(name: str, ref: ValueRef, work: Work, run: RunMemory) -> Callable[[], Any]:
    def load() -> Any:
        try:
            return run.values.get(ref)
        except StoreError as error:
            return _made_anew(name, ref, work, error)

    return load


def _made_anew(name: str, ref: ValueRef, work: Work, problem: StoreError) -> Any:
    """The value from its step, which runs again, as a step inside the one that takes the value.

    Raises:
        StoreError: what it gives is another value, and what followed may have used the one that is lost.
    """
    assert work.anew is not None
    _log.warning("The result of step '%s' was found and does not load, so it runs again: %s", work.name, problem)
    outcome = run_step(work.anew(), current_services())
    if name in outcome.refs and outcome.refs[name].digest == ref.digest:
        return outcome.outputs[name]
    raise StoreError(
        f"The value '{name}' of step '{work.name}' was found and then did not load; run again, the step gives another "
        f"one. {problem.message}",
        cure="Run without the cache: --no-cache, and without --resume.",
        fields={**problem.fields, "step": work.name},
    ) from problem
