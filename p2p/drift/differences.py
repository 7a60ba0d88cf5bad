"""The nouns of a comparison of two versions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """A parameter, a contract, or a helper of the steps that is not what it was.

    Attributes:
        name: which one.
        change: `added`, `removed`, or what of it changed: `type`, `default`, `bounds`, `required`, `changed`.
        before, after: the two in short; empty where there is none.
        diff: the change as a unified diff; empty where `before` and `after` say it.
    """

    name: str
    change: str
    before: str = ""
    after: str = ""
    diff: str = ""


@dataclass(frozen=True)
class StepChange:
    """One step of the two versions.

    Attributes:
        name: its name, in the later version where it has one there.
        changes: `same`, `added` or `removed` alone; else some of `renamed`, `code`, `inputs`, `outputs`, `changes`,
            `policy`.
        details: what the wiring and policy were, and are, in words.
        renamed_from: its name in the earlier version, where it was another one.
        diff: its code's change as a unified diff.
    """

    name: str
    changes: tuple[str, ...]
    details: tuple[str, ...] = ()
    renamed_from: str = ""
    diff: str = ""


@dataclass(frozen=True)
class ValueChange:
    """One value that both versions recorded: `equal`, `unequal`, or `not compared` where one could not be stored."""

    step: str
    value: str
    verdict: str


@dataclass(frozen=True)
class VersionDiff:
    """Two versions beside each other.

    Attributes:
        before, after: which ones, as `name@1`.
        steps: all of them, in order; those that are the same too.
        helpers: what else stands in `steps.py`.
        values: the values that both recorded; empty where they cannot be compared.
        notes: what one must know to read it, such as an edit by hand.
        values_note: why values are not compared; empty where they are.
    """

    before: str
    after: str
    parameters: tuple[Change, ...] = ()
    contracts: tuple[Change, ...] = ()
    steps: tuple[StepChange, ...] = ()
    helpers: tuple[Change, ...] = ()
    values: tuple[ValueChange, ...] = ()
    values_note: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether nothing that was compared is different."""
        steps = all(step.changes == ("same",) for step in self.steps)
        values = all(value.verdict != "unequal" for value in self.values)
        return steps and values and not (self.parameters or self.contracts or self.helpers)
