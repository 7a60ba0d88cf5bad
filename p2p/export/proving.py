"""The proof: the module runs in an empty directory and gives the notebook's values, or it is mended, or refused."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from p2p.analysis import digest_source
from p2p.errors import AnalysisError, EvidenceRefused, RunFailed
from p2p.export.causes import HIDDEN, SHARED, Cause, likeliest, sign
from p2p.export.compile import compile_notebook
from p2p.export.naming import check_step_names
from p2p.export.options import ExportOptions
from p2p.export.plan import Plan
from p2p.export.repair import repairs
from p2p.export.verify import Comparison, Conditions, Seed
from p2p.export.work import Work
from p2p.notebook import Notebook
from p2p.params import ParameterSet
from p2p.tracking import RunRecord
from p2p.tracking.records import CellBorder

_LONGEST = 60.0  # seconds that a module may have run for to be run again for the sake of a reason


@dataclass(frozen=True)
class Proof:
    """A module that gives the notebook's values.

    Attributes:
        work: the export, with the plan that was proven.
        verified: the module's run.
        compared: each value beside the notebook's.
        beside: whether it ran in the notebook's directory, as it is not equal in an empty one.
        reads: the files in the notebook's directory that it was seen to read.
    """

    work: Work
    verified: RunRecord
    compared: Sequence[Comparison]
    beside: bool
    reads: Sequence[str]


def planned(
    notebook: Notebook, name: str, parameters: ParameterSet, keep: frozenset[int] = frozenset(), *,
    displays: bool = False,
) -> Plan:  # fmt: skip
    """The plan of a notebook's pipeline; `keep` and `displays` as `compile_notebook` has them."""
    plan = compile_notebook(notebook, name, [p["name"] for p in parameters.describe()], keep, displays=displays)
    check_step_names([step.name for step in plan.steps])
    return plan


def proven(work: Work, options: ExportOptions) -> Proof:
    """The module written, run and found equal; where it is not, once more with what it may lack, a few times.

    Raises:
        EvidenceRefused: it stays unequal; the first evidence, as that is nearest to what the notebook says.
    """
    places = (False, True) if _may_read_files(work) else (False,)
    began = time.monotonic()
    try:
        return _tried(work, options, places)
    except EvidenceRefused as refused:
        seconds = (time.monotonic() - began) / len(places)
        for plan in _mended(work, refused.fields["step"]):
            options.tell("not equal: trying again with what may have changed something unseen")
            with suppress(EvidenceRefused):
                return _least(replace(work, plan=plan), options, places)
        raise _explained(work, refused, options, places[-1], seconds) from None


def _beside(work: Work) -> Path:
    return work.notebook.path.resolve().parent


def _may_read_files(work: Work) -> bool:
    """Whether there is anything in the notebook's directory that it may read, or it names a directory above."""
    if any("../" in cell.source for cell in work.notebook.cells):
        return True
    entries = (entry.name for entry in _beside(work).iterdir())
    return any(not name.startswith((".", "__")) and not name.endswith(".ipynb") for name in entries)


def _mended(work: Work, step: str) -> Iterator[Plan]:
    """The plans that may be what is missing, the nearest to the first one first."""
    ways = [(keep, False) for keep in repairs(work.plan, step, {*_seen(work)})]
    for keep, displays in [*ways, (frozenset[int](), True)]:
        with suppress(AnalysisError):
            plan = planned(work.notebook, work.plan.name, work.parameters, keep, displays=displays)
            if _texts(plan) != _texts(work.plan):
                yield plan


def _seen(work: Work) -> dict[int, CellBorder]:
    """By number: what the recorded run saw cells do, those that changed a value in place or drew at random."""
    acted = {border.source: border for border in work.recorded.borders}
    found: dict[int, CellBorder] = {}
    for cell in work.notebook.cells if acted else ():
        with suppress(AnalysisError):
            border = acted.get(digest_source(cell.source))
            found |= {cell.number: border} if border is not None else {}
    return found


def _texts(plan: Plan) -> list[tuple[str, str]]:
    return [(step.name, step.source) for step in plan.steps]


def _least(work: Work, options: ExportOptions, places: Sequence[bool]) -> Proof:
    """Proven where the files are, and then, if it can be, without them."""
    proof = _tried(work, options, places[-1:])
    with suppress(EvidenceRefused):
        return _tried(work, options, places[:-1]) if len(places) > 1 else proof
    return proof


def _tried(work: Work, options: ExportOptions, places: Sequence[bool]) -> Proof:
    """Proven in the first of these places in which it is equal; whether each is beside the notebook."""
    work = replace(work, plan=work.plan.as_recorded(work.recorded.steps, _seen(work)))
    options.tell(f"writing {work.plan.name} v{work.version}")
    work.write_module()
    for beside in places[:-1]:
        with suppress(EvidenceRefused, RunFailed):
            return _ran(work, options, beside=beside)
    return _ran(work, options, beside=places[-1])


def _ran(work: Work, options: ExportOptions, *, beside: bool) -> Proof:
    where = "in the notebook's directory" if beside else "in an empty directory"
    options.tell(f"running the module in a fresh process, {where}")
    with tempfile.TemporaryDirectory() as empty:
        directory = _beside(work) if beside else Path(empty).resolve()
        verified, read = work.run(Conditions(directory=directory))
        return Proof(work, verified, work.compare(verified), beside, read)


def _explained(
    work: Work, refused: EvidenceRefused, options: ExportOptions, beside: bool, seconds: float
) -> EvidenceRefused:
    """The refusal, with the likeliest cause that its first value is another."""
    step, value = refused.fields["step"], refused.fields["value"]
    if not value:
        return refused
    if seconds > _LONGEST:
        cause = sign(_text_of(work, step))
        tested = "; told by its text alone, as a run takes long"
    else:
        options.tell("looking for the cause: running the module from other seeds")
        cause = _cause(work, step, value, beside=beside)
        tested = ""
    if cause is None:
        return refused
    first, *others = refused.findings
    told = replace(first, why=f"Likeliest cause: {cause.what}{tested}.", cure=cause.cure)
    return EvidenceRefused(refused.message, [told, *others], step=step, value=value)


def _cause(work: Work, step: str, value: str, *, beside: bool) -> Cause | None:
    cause = likeliest(_text_of(work, step), lambda seed: _again(work, seed, step, value, beside=beside))
    recorded = work.recorded.step(step)
    known = recorded.outputs.get(value) if cause is HIDDEN and recorded is not None else None
    if known is not None and _again(work, None, step, value, beside=beside) == known.digest is not None:
        return SHARED
    return cause


def _text_of(work: Work, step: str) -> str:
    """The text of a step and of the module's helpers."""
    own = [s.source for s in work.plan.steps if s.name == step]
    return "\n".join([*own, *(helper.source for helper in work.plan.helpers)])


def _again(work: Work, seed: Seed | None, step: str, value: str, *, beside: bool) -> object:
    """The digest of a value in another run of the module, from a seed, or from none and with steps that share memory.

    Nothing where that run fails.
    """
    with tempfile.TemporaryDirectory() as empty, suppress(EvidenceRefused, RunFailed):
        directory = _beside(work) if beside else Path(empty).resolve()
        record, _read = work.run(
            Conditions(directory=directory, purpose="diagnosis", seed=seed, isolated=seed is not None)
        )
        ran = record.step(step)
        return ran.outputs[value].digest if ran is not None and value in ran.outputs else None
    return None
