"""Classes of a module that can be imported, for values in the tests of the store."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, SecretStr, computed_field


class Scores(BaseModel):
    auc: float
    when: datetime.date
    notes: list[str] = []
    nested: Scores | None = None


class Aliased(BaseModel):
    month: int = Field(alias="Month")

    @computed_field
    def twice(self) -> int:
        return 2 * self.month


class Loose(BaseModel):
    anything: Any


class Login(BaseModel):
    user: str
    token: SecretStr


@dataclass
class Point:
    x: int
    tags: set[str] = field(default_factory=set)


class OrderedTags(set[str]):
    """A subclass of set with an attribute."""

    label = ""


class BrokenRepr:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")
