"""How each step stands: whether what it gave is what its code and inputs would give now, and if not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p2p.outline.outlining import Outline, OutlinedStep
from p2p.outline.ran import Ran, Ranning

NEVER = "never"
STALE = "stale"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one step stands.

    Attributes:
        step: the step.
        state: `never` (it has not run in this kernel), `running`, `failed`, `stale`, `cached` or `done`.
        why: why it is stale, one sentence each; empty for any other.
        ran: how it went the last time; None where it never did.
    """

    step: OutlinedStep
    state: str
    why: tuple[str, ...] = ()
    ran: Ran | None = None


def standings(outline: Outline, ranning: Ranning) -> list[Standing]:
    """How the steps of a notebook, as it is written now, stand in a kernel, by what has run there."""
    found: dict[str, Standing] = {}
    for step in outline.steps:
        found[step.name] = _standing(step, outline, ranning, found)
    return list(found.values())


def _standing(step: OutlinedStep, outline: Outline, ranning: Ranning, above: dict[str, Standing]) -> Standing:
    ran = ranning.steps.get(step.name)
    if ran is None:
        return Standing(step, NEVER)
    if ran.state in ("running", "failed"):
        return Standing(step, ran.state, ran=ran)
    why = (*_code(step, ran, outline, ranning), *_inputs(step, ran, ranning, above))
    return Standing(step, STALE if why else ran.state, why, ran)


def _code(step: OutlinedStep, ran: Ran, outline: Outline, ranning: Ranning) -> Sequence[str]:
    why = ["its code was edited since it ran"] if ran.digest != step.digest else []
    for name, cell in step.uses.items():
        was, written, run = ran.uses.get(name), outline.digests.get(cell), ranning.defined.get(name)
        if was is not None and was != run:
            why.append(f"`{name}`, which it uses, was defined anew")
        elif was is not None and was != written:
            why.append(f"`{name}`, which it uses, was edited in cell {cell}")
    return why


def _inputs(step: OutlinedStep, ran: Ran, ranning: Ranning, above: dict[str, Standing]) -> Sequence[str]:
    why = []
    makers = {name: one.step.name for one in above.values() for name in one.step.outputs}
    for name in step.inputs:
        maker = makers.get(name)
        was, now = ran.inputs.get(name), ranning.value(name)
        if name not in ran.inputs:
            why.append(f"it takes '{name}' now, and did not")
        elif was is not None and now is not None and now != was:
            by = f"step '{maker}' has given" if maker and ranning.gave(name) else "you have given"
            why.append(f"{by} '{name}' another value")
        elif maker and above[maker].state in (STALE, NEVER, "failed"):
            how = {STALE: "is stale", NEVER: "has not run here", "failed": "has failed"}[above[maker].state]
            why.append(f"step '{maker}', which gives '{name}', {how}")
    return why


def to_run(found: Sequence[Standing], outline: Outline, ranning: Ranning) -> list[int]:
    """The cells to run, in order, so that no step is stale, failed or without a value.

    A cell that only defines what these use is among them where it has not run as it is written now.
    """
    steps = [one.step for one in found if one.state in (STALE, NEVER, "failed")]
    cells = {step.cell for step in steps}
    for step in steps:
        cells |= {
            cell for name, cell in step.uses.items() if ranning.defined.get(name) != outline.digests.get(cell)
        }  # fmt: skip
    return sorted(cells)
