"""How the steps stand, for people: a table in a notebook, lines of text elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from p2p.outline.standing import NEVER, STALE, Standing

MARKS: Mapping[str, str] = {
    "done": "✓", "cached": "⟲", "failed": "✗", "running": "…", STALE: "≠", NEVER: "·",
}  # fmt: skip
WORDS: Mapping[str, str] = {NEVER: "has not run here"}


class StandingTable:
    """The steps of a notebook, as they stand.

    Attributes:
        name: the notebook's.
        standings: a `Standing` each.
        problems: by cell number, what keeps a cell from being understood.
        note: what else there is to say.
    """

    def __init__(
        self, name: str, standings: Sequence[Standing], problems: Mapping[int, str] | None = None, note: str = ""
    ) -> None:
        self.name = name
        self.standings = standings
        self.problems = problems or {}
        self.note = note

    def __repr__(self) -> str:
        lines = [f"{self.name}: {self._counts()}"]
        for one in self.standings:
            took = f"{one.ran.seconds:.3g} s" if one.ran is not None and one.ran.seconds else ""
            lines.append(
                f"  {MARKS[one.state]} {one.step.name:<20} {_word(one.state):<16} {took:>8}  {_remark(one)}".rstrip()
            )
        lines += [f"  cell {number}: {problem}" for number, problem in self.problems.items()]
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        from p2p import markup  # late: a kernel that shows no table loads no more than it needs

        rows = [_row(one) for one in self.standings]
        parts: list[object] = [
            markup.title(self.name, self._counts()),
            markup.table(["step", "cell", "state", "seconds", "attempts", "remark"], rows),
        ]
        parts += [markup.title(f"cell {number}", problem) for number, problem in self.problems.items()]
        if self.note:
            parts.append(markup.title("", self.note))
        return str(markup.joined(parts))

    def _counts(self) -> str:
        if not self.standings:
            return "no steps; mark a cell with %%step NAME, or a function with @step"
        states = [one.state for one in self.standings]
        return ", ".join(f"{states.count(state)} {_word(state)}" for state in MARKS if state in states)


def _word(state: str) -> str:
    return WORDS.get(state, state)


def _remark(one: Standing) -> str:
    if one.ran is not None and one.ran.error:
        return one.ran.error
    return "; ".join(one.why) or ", ".join(one.step.outputs)


def _row(one: Standing) -> list[object]:
    ran = one.ran
    seconds = f"{ran.seconds:.3g}" if ran is not None and ran.state != "running" else ""
    attempts = ran.attempts if ran is not None and ran.attempts else ""
    return [one.step.name, one.step.cell, f"{MARKS[one.state]} {_word(one.state)}", seconds, attempts, _remark(one)]
