"""One step that is about to run: whether its result is there, and keeping it when it had to run."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from p2p.cache.doubts import FILES
from p2p.cache.entries import Kept, key_of
from p2p.cache.fingerprints import IMMUTABLE
from p2p.cache.loading import recalled
from p2p.cache.sharing import Held, held, in_and_out, shared, the_same, views
from p2p.cache.turns import Turn
from p2p.cache.watching import watched
from p2p.errors import StoreError
from p2p.execution import Recalled, Work, generators
from p2p.model import ValueRef
from p2p.store import content_digest
from p2p.store.values import is_inline

if TYPE_CHECKING:
    from p2p.cache.memory import RunMemory

_log = logging.getLogger("p2p.cache")
_Refs = Mapping[str, ValueRef]


class KnownStep:
    """What is known of one execution of a step.

    Args:
        run: the memory of its run.
        work: the step.
    """

    def __init__(self, run: RunMemory, work: Work) -> None:
        self._run = run
        self._work = work
        self._code = work.code() if work.code is not None else None
        self._inputs: dict[str, ValueRef] = {}
        self._seen: Mapping[str, None] = {}
        self._before: generators.States = {}
        self._keys: dict[str, str] = {}
        self._turn: Turn | None = None
        self.changed: _Refs = {}

    def references(self) -> dict[str, ValueRef]:
        """References of the inputs, stored, so that they are recognized in another run and can be looked at."""
        known, values = self._work.known, self._work.inputs
        self._inputs = {name: known.get(name) or self._run.stored(values[name]) for name in values}
        return self._inputs

    def recall(self, step_id: str) -> Recalled | None:
        """The result of this step, if the resumed run or the cache has it, or will have it in a moment."""
        return self._recalled(step_id) or self._recalled_in_turn(step_id)

    def _recalled_in_turn(self, step_id: str) -> Recalled | None:
        if self._run.turns is None or not self._is_kept_for_others():
            return None
        self._turn = self._run.turns.take(self._key(""))
        found = self._recalled(step_id)
        self._end_turn(kept=True if found is not None else None)
        return found

    def _is_kept_for_others(self) -> bool:
        known = self._code is not None and self._run.entries is not None and self._work.policy.cache
        return known and not self._undecided()

    def _end_turn(self, *, kept: bool | None) -> None:
        """Let equal steps go on; None where this one has yet to run."""
        if self._turn is not None and kept is not None:
            self._turn.end(kept=kept)
            self._turn = None

    def _recalled(self, step_id: str) -> Recalled | None:
        for kept, why in self._candidates():
            found = self._load(kept)
            if found is not None:
                self._do_again(kept, step_id)
                return replace(found, facts={"from_run": kept.run, "because": why, "kept": kept.as_dict()})
        return None

    def _candidates(self) -> Iterator[tuple[Kept, str]]:
        if self._code is None:
            return
        earlier = self._run.earlier.step(self._work.name) if self._run.earlier is not None else None
        if earlier is not None and self._is_the_same(earlier) and self._stands_as(earlier):
            yield earlier, "resumed"
        if self._run.entries is not None and self._work.policy.cache and not self._undecided():
            kept = self._run.entries.find(self._key(""))
            if kept is not None and not self._stands_as(kept):  # it draws, and the last time from other states
                kept = self._run.entries.find(self._key(_drawn()))
            if kept is not None:
                yield kept, "cached"

    def _stands_as(self, kept: Kept) -> bool:
        """Whether the random generators stand where they stood before that step, if it drew from them."""
        return not kept.random_before or kept.random_before == _drawn()

    def _is_the_same(self, earlier: Kept) -> bool:
        assert self._code is not None
        return (earlier.code, dict(earlier.inputs)) == (self._code.digest, self._digests())

    def _digests(self) -> dict[str, str | None]:
        return {name: ref.digest for name, ref in self._inputs.items()}

    def _key(self, random_before: str) -> str:
        if random_before not in self._keys:
            self._keys[random_before] = self._key_from(random_before)
        return self._keys[random_before]

    def _key_from(self, random_before: str) -> str:
        assert self._code is not None
        files = {f"file {name}": _file_digest(name) for name in self._work.policy.paths}
        return key_of(self._work.name, self._code.digest, {**self._digests(), **files}, random_before)

    def _undecided(self) -> list[str]:
        """Why the result cannot be known to depend on code and inputs alone; empty where it can."""
        assert self._code is not None
        paths = self._work.policy.paths
        doubts = [doubt for doubt in self._code.doubts if not (paths and doubt.startswith(FILES))]
        unknown = [f"its input '{name}' has no digest ({ref.reason or ref.type})"
                   for name, ref in self._inputs.items() if ref.digest is None]  # fmt: skip
        gone = [f"its file {name} cannot be read" for name in paths if not _file_digest(name)]
        return [*doubts, *unknown, *gone]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See what the body touches, and where it leaves the random generators."""
        self._before = generators.states()
        try:
            with watched(self._work.policy.paths, self._run.own) as touched:
                yield
        except BaseException:
            if self._turn is not None:
                self._turn.give_up()
            raise
        self._seen = touched.seen

    def keep(self, step_id: str, outputs: Mapping[str, Any], refs: _Refs) -> dict[str, Any]:
        """Keep the result for whoever resumes this run, and in the cache where that is safe."""
        told = self._kept_where_safe(step_id, outputs, refs)
        self._end_turn(kept="kept" in told and "uncached" not in told)
        return told

    def _kept_where_safe(self, step_id: str, outputs: Mapping[str, Any], refs: _Refs) -> dict[str, Any]:
        if self._code is None:
            return {}
        self.changed = self._changed_inputs()
        if self._work.form() == "other":
            return {"uncached": ["it gives a tuple of a type of its own"]}
        given = {name: value for name, value in self._work.others().items() if name not in outputs}
        others = {name: self._run.stored(value) for name, value in given.items()}
        found = {**refs, **others, **self.changed}
        lost = [f"'{name}' ({ref.reason})" for name, ref in found.items() if ref.codec is None]
        around = self._around({**given, **outputs}, refs)
        holding = held(around)
        shown = [n.removeprefix("out ") for n in views(holding) if n.startswith("out ")]
        lost += [f"'{name}' (a view: it shows the memory of another array)" for name in shown]
        if lost:
            why = f"it gives what cannot be stored: {'; '.join(lost)}"
            _log.warning("Step '%s' cannot be taken over by a run that resumes this one: %s", self._work.name, why)
            return {"uncached": [why]}
        same = the_same(self._work.inputs, {**given, **outputs})
        kept = self._kept(step_id, refs, others, same, self._together(around, holding, same))
        data = kept.as_dict()
        return {"kept": data, **self._cached(data, kept.random_before)}

    def _kept(
        self, step_id: str, refs: _Refs, others: _Refs, same: Mapping[str, str], together: ValueRef | None
    ) -> Kept:
        assert self._code is not None
        after = generators.states()
        drew = not generators.are_the_same(self._before, after)
        return Kept(
            run=self._run.directory.name, step_id=step_id, code=self._code.digest, inputs=self._digests(),
            outputs=dict(refs), others=dict(others), changed=dict(self.changed),
            same=same, together=together, form=self._work.form(),
            met=self._met(refs) if together is None and not drew and not self.changed else {},
            random=self._run.values.put(after) if drew else None,
            random_before=generators.digest(self._before) if drew else "",
        )  # fmt: skip

    def _met(self, refs: _Refs) -> dict[str, str]:
        """Digests of the contracts that the outputs have met, where it saves a later run from loading one."""
        contracts = self._work.contracts
        asked = [name for name in refs if contracts.get(name) is not None and not is_inline(refs[name])]
        return {name: told for name in asked if (told := self._run.agreed(contracts[name]))}

    def _cached(self, kept: Mapping[str, Any], drawn_from: str) -> dict[str, Any]:
        """Put the result into the cache, or say why not."""
        if self._run.entries is None or not self._work.policy.cache:
            return {}
        reasons = [*self._undecided(), *self._seen]
        if reasons:
            return {"uncached": reasons[:10]}
        for random_before in dict.fromkeys([drawn_from, ""]):  # under the second, it tells that it draws
            self._run.entries.keep(self._key(random_before), kept)
        return {}

    def _changed_inputs(self) -> dict[str, ValueRef]:
        """Inputs that the step has changed in place."""
        found = {}
        for name, value in self._work.inputs.items():
            before = self._inputs[name].digest
            if before is not None and not isinstance(value, IMMUTABLE) and content_digest(value) != before:
                found[name] = self._run.stored(value)
        return found

    def _together(self, around: Mapping[str, Any], holding: Held, same: Mapping[str, str]) -> ValueRef | None:
        """One value of those that share objects, so that they do so again when they are loaded.

        What is an input itself is that input again, and need not be stored once more: it may be large.
        """
        inputs = {f"out {name}" for name in same}
        names = shared({name: objects for name, objects in holding.items() if name not in inputs})
        if not any(name.startswith("out ") for name in names):
            return None
        ref = self._run.values.put({name: around[name] for name in names})
        return ref if ref.codec is not None else None

    def _around(self, given: Mapping[str, Any], refs: _Refs) -> dict[str, Any]:
        """What the step took and gave, but for figures, which come back as pictures."""
        return in_and_out(
            self._work.inputs, {n: v for n, v in given.items() if n not in refs or refs[n].codec != "png"}
        )

    def _load(self, kept: Kept) -> Recalled | None:
        """The values of a kept result; None, with a warning, where one is missing or damaged."""
        try:
            found = recalled(kept, self._work, self._run)
        except StoreError as error:
            _log.warning("A kept result of step '%s' cannot be used, so it runs again: %s", self._work.name, error)
            return None
        self.changed = kept.changed
        return found

    def _do_again(self, kept: Kept, step_id: str) -> None:
        """What the step logged, and the files that it left, belong to this run too."""
        source = self._run.directory.parent / kept.run
        if not source.is_dir():
            return
        for event in self._run.deeds(source).of(kept.step_id):
            data = {name: value for name, value in event.items() if name not in ("kind", "at", "step_id")}
            if event["kind"] == "logged" or _copied(source / event["path"], self._run.directory / event["path"]):
                self._run.events.append(event["kind"], step_id=step_id, **data)


def _copied(source: Path, target: Path) -> bool:
    """Whether a file or folder was there to be copied."""
    if not source.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
    return True


def _drawn() -> str:
    return generators.digest(generators.states())


def _file_digest(name: str) -> str:
    try:
        return str(blake3(Path(name).read_bytes()).hexdigest())
    except OSError:
        return ""
