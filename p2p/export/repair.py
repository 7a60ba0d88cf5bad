"""What the proof shows to be missing: unmarked statements that act on values, or on hidden state, unseen.

A step that gives another value in the module than in the notebook, or fails there, may lack what an unmarked cell has
done before it: changed one of its inputs in place, drawn from a random generator, written a file. Which one cannot be
told from the text; so first those are kept whose cells the recorded run has seen to do such a thing, then those that
touch what the step is made from, and then all above it, each in its place. The proof decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from p2p.export.plan import LeftOut, Plan, PlannedStep


def repairs(plan: Plan, step: str, seen: Collection[int] = ()) -> Iterator[frozenset[int]]:
    """Places of statements to keep as well, the smallest set first.

    Args:
        plan: the plan whose module was not equal.
        step: the first step that gave another value, or failed.
        seen: numbers of the cells that the recorded run saw to change a value in place, or to draw at random.
    """
    found = next((s for s in plan.steps if s.name == step), None)
    if found is None:
        return
    above = [left for left in plan.left_out if left.order < found.order]
    names = _made_from(plan, found)
    recorded = _places(left for left in above if left.cell in seen)
    related = _places(left for left in above if names & {*left.reads})
    first = min(s.order for s in plan.steps)  # what is computed at the top ran after it, and now runs before it
    everything = _places([*above, *(c for c in plan.constants if c.order > first)])
    yield from dict.fromkeys(places for places in (recorded, related, everything) if places)


def _places(left: Iterator[LeftOut] | list[LeftOut]) -> frozenset[int]:
    return frozenset(part.order for part in left)


def _made_from(plan: Plan, step: PlannedStep) -> set[str]:
    """The names of what a step takes, and of what those are made from."""
    names = {*step.takes}
    for earlier in reversed(plan.steps):
        if earlier.order < step.order and names & {*earlier.outputs}:
            names |= {*earlier.takes}
    return names
