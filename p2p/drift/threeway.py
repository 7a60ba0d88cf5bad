"""What of a `steps.py` was edited by hand since its export, and what of that the notebook has changed as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from p2p.drift.regenerating import Regenerated
from p2p.errors import EvidenceRefused
from p2p.export.units import Module
from p2p.manifest import Manifest
from p2p.model import MISS, Finding, Miss

_LOST = "Pulled, it would undo what one of the two says."


@dataclass(frozen=True)
class Edits:
    """The units that were edited by hand.

    Attributes:
        changed: those that the notebook has as the export has written them, so that the edit can be brought there.
        dropped: helpers that are gone from the module.
        findings: what keeps the others from being brought back.
    """

    changed: tuple[str, ...]
    dropped: tuple[str, ...]
    findings: tuple[Finding, ...]


def edits_of(edited: Module, now: Regenerated, manifest: Manifest) -> Edits:
    """Hold the module by hand, the notebook's module of now, and the one that was exported against each other."""
    if _marks(edited) == _marks(now.module):
        return Edits((), (), ())
    exported = exported_marks(now, manifest)
    changed, dropped, findings = [], [], []
    for name in dict.fromkeys([*edited.units, *exported]):
        was, by_hand, by_notebook = exported.get(name, MISS), _mark(edited, name), _mark(now.module, name)
        if by_hand in (was, by_notebook):
            continue  # not edited, or the notebook says the same by now
        if finding := _problem(name, was, by_hand, by_notebook, now, manifest):
            findings.append(finding)
        elif by_hand is MISS:
            dropped.append(name)
        else:
            changed.append(name)
    return Edits(tuple(changed), tuple(dropped), tuple(findings))


def exported_marks(now: Regenerated, manifest: Manifest) -> Mapping[str, str]:
    """By name, the mark of each unit as it was exported.

    A version of before marks were written down is known only while its notebook is what it was.

    Raises:
        EvidenceRefused: it is not.
    """
    if manifest.units:
        return manifest.units
    if now.notebook.digest == manifest.notebook_digest:
        return _marks(now.module)
    title = f"{manifest.pipeline}@{manifest.version}"
    finding = Finding(
        title, "its manifest does not tell what each function was, and the notebook has changed since.",
        "So nothing tells which of the two was edited where they differ.",
        f"Make the edit in '{manifest.notebook}' by hand, and export it.",
    )  # fmt: skip
    raise EvidenceRefused(f"{title} was not pulled: {finding.what}", [finding])


def _marks(module: Module) -> dict[str, str]:
    return {name: module.mark(name) for name in module.units}


def _mark(module: Module, name: str) -> str | Miss:
    return module.mark(name) if name in module.units else MISS


def _problem(
    name: str, was: str | Miss, by_hand: str | Miss, by_notebook: str | Miss, now: Regenerated, manifest: Manifest
) -> Finding | None:
    """Why an edit cannot be brought into the notebook; None where it can."""
    where = f"steps.py, '{name}'"
    if was is MISS:
        return Finding(where, "it came from no cell.", "A new or renamed step or helper has no place in the notebook.",
                       "Write it into the notebook, or inside a function that came from there.")  # fmt: skip
    if by_notebook is MISS:
        what = f"it has no cell any more{_renamed(name, now, manifest)}."
        return Finding(where, what, _LOST, "Make the edit in the notebook by hand, and export it.")
    if by_notebook != was:
        what = f"it was edited here, and in cell {_cell(name, now)} of the notebook, since the export."
        return Finding(where, what, _LOST, "Export the notebook, and make the edit in that version or in the cell.")
    if by_hand is MISS and any(step.function == name for step in now.plan.steps):
        return Finding(where, "the step is gone.", "The notebook still has it.", "Take its cell out of the notebook.")
    return None


def _renamed(name: str, now: Regenerated, manifest: Manifest) -> str:
    """What has become of a step's cell, found by its id."""
    id_of = next((step.get("cell_id") for step in manifest.steps if step["name"] == name), "")
    found = next((step for step in now.plan.steps if id_of and step.cell_id == id_of), None)
    return f": cell {found.cell} is step '{found.name}' now" if found else ""


def _cell(name: str, now: Regenerated) -> int | str:
    """The number of the cell that a unit is made of, for a message."""
    steps = {step.function: step.cell for step in now.plan.steps}
    free = dict(zip(now.module.units, (*now.plan.setup, *now.plan.helpers), strict=False))
    return steps.get(name) or (free[name].cell if name in free else "?")
