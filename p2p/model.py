"""The nouns: frozen records that every room passes to the next. No I/O, and no third-party import."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


class Unset(enum.Enum):
    """The type of `UNSET`: "nothing was given", where None would be an answer."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


class Miss(enum.Enum):
    """The type of `MISS`: "no such value is to be had", where None could be the value."""

    MISS = "miss"

    def __repr__(self) -> str:
        return "MISS"


MISS: Final = Miss.MISS


class RunStatus(enum.StrEnum):
    """How a run stands, in MLflow's own words."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class StepState(enum.StrEnum):
    """How a step of a run ended."""

    DONE = "done"
    FAILED = "failed"
    CACHED = "cached"


@dataclass(frozen=True, slots=True)
class ValueRef:
    """What is known of a value without loading it.

    Attributes:
        type: the value's type as `module.qualname`.
        codec: the codec that stored it (`json`, `parquet`, ...); None for a value that could not be stored.
        digest: BLAKE3 of the stored bytes, 64 hex digits; None where `codec` is None.
        nbytes: stored size in bytes.
        shape: rows and columns, or the dimensions of an array, or the length; empty where it has none.
        preview: a short text for people; at most 1,000 characters.
        reason: why it could not be stored; empty when it was.
        inline: the stored bytes themselves, as text, where they are few plain data: then there need be no file.
    """

    type: str
    codec: str | None = None
    digest: str | None = None
    nbytes: int = 0
    shape: tuple[int, ...] = ()
    preview: str = ""
    reason: str = ""
    inline: str | None = None

    def as_dict(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in _FIELDS}  # `asdict` would copy each field to its bottom
        return found if self.inline is None else {**found, "inline": self.inline}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ValueRef:
        fields = {k: v for k, v in data.items() if k in _FIELDS or k == "inline"}
        fields["shape"] = tuple(fields.get("shape", ()))
        return cls(**fields)


_FIELDS: Final = ("type", "codec", "digest", "nbytes", "shape", "preview", "reason")


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of one run, as it ended.

    Attributes:
        name: the step's name in its run (a function step's second call is `name_2`).
        state: how it ended.
        seconds: wall time of all attempts.
        attempts: how often its body ran.
        inputs, outputs: references by name.
        parent: name of the step that called it, empty for a step of the pipeline itself.
        error: type and message of what it raised, empty when it did not.
        fallback: whether its outputs are its fallback's; then `error` is that of its last attempt.
        changed: inputs that it has changed in place and not given as outputs, as they were afterwards.
    """

    name: str
    state: StepState
    seconds: float
    attempts: int
    inputs: Mapping[str, ValueRef] = field(default_factory=dict)
    outputs: Mapping[str, ValueRef] = field(default_factory=dict)
    parent: str = ""
    error: str = ""
    fallback: bool = False
    changed: Mapping[str, ValueRef] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check: where, what, why it matters, how to cure it.

    Attributes:
        where: cell, step or value.
        what: what is the case.
        why: why it matters in production.
        cure: what to do.
        level: `error` blocks; `warning` does not.
    """

    where: str
    what: str
    why: str
    cure: str
    level: str = "error"

    def as_dict(self) -> dict[str, str]:
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.why} {self.cure}".strip()
