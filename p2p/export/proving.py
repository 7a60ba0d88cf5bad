"""The proof: the module runs in an empty directory and gives the notebook's values, or it is mended, or refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from p2p.errors import AnalysisError, EvidenceRefused, RunFailed
from p2p.export.compile import compile_notebook
from p2p.export.diagnosis import Diagnosis, Place, as_recorded, home_of, seen_of
from p2p.export.naming import check_step_names
from p2p.export.options import ExportOptions
from p2p.export.plan import Plan
from p2p.export.repair import repairs
from p2p.export.verify import Comparison, Conditions
from p2p.export.work import Work
from p2p.notebook import Notebook
from p2p.notebook.texts import TEXTS
from p2p.params import ParameterSet
from p2p.tracking import RunRecord

_SEEDS = re.compile("seed|set_?state", re.IGNORECASE)


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
        diagnosis = Diagnosis(work, refused, options, place=Place(beside=places[-1]), seconds=seconds)
        for plan in _mended(work, diagnosis):
            options.tell("not equal: trying again with what may have changed something unseen")
            with suppress(EvidenceRefused):
                return _least(replace(work, plan=plan), options, places)
        raise diagnosis.explained() from None


def _may_read_files(work: Work) -> bool:
    """Whether there is anything in the notebook's directory that it may read, or it names a directory above."""
    if any("../" in cell.source for cell in work.notebook.cells):
        return True
    own = [work.notebook.path.with_suffix(suffix).name for suffix in TEXTS]  # itself, or the other half of a pair
    entries = (entry.name for entry in home_of(work).iterdir() if entry.name not in own)
    return any(not name.startswith((".", "__")) and not name.endswith(".ipynb") for name in entries)


def _mended(work: Work, diagnosis: Diagnosis) -> Iterator[Plan]:
    """The plans that may be what is missing, the nearest to the first one first.

    A value that is another each time lacks nothing but a seed, if it lacks anything: a cell that moved a generator.
    """
    seen = {*seen_of(work)}
    ways = [(keep, False) for keep in repairs(work.plan, diagnosis.step, seen)]
    ways.append((frozenset[int](), True))
    if diagnosis.varies:
        seeds = any(_SEEDS.search(cell.source) for cell in work.notebook.cells)
        ways = ways[:1] if seeds and seen & {left.cell for left in work.plan.left_out} else []
    for keep, displays in ways:
        with suppress(AnalysisError):
            plan = planned(work.notebook, work.plan.name, work.parameters, keep, displays=displays)
            if _texts(plan) != _texts(work.plan):
                yield plan


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
    work = as_recorded(work)
    options.tell(f"writing {work.plan.name} v{work.version}")
    work.write_module()
    for beside in places[:-1]:
        with suppress(EvidenceRefused, RunFailed):
            return _ran(work, options, beside=beside)
    return _ran(work, options, beside=places[-1])


def _ran(work: Work, options: ExportOptions, *, beside: bool) -> Proof:
    where = "in the notebook's directory" if beside else "in an empty directory"
    options.tell(f"running the module in a fresh process, {where}")
    with Place(beside=beside).of(work) as directory:
        verified, read = work.run(Conditions(directory=directory))
        return Proof(work, verified, work.compare(verified), beside, read)
