"""Checked values of all parameters, and the plain forms in which a notebook and a record may hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from p2p.params.plain import is_plain, plain, secret_texts


@dataclass(frozen=True)
class Values:
    """The value of every parameter after checking.

    Attributes:
        typed: Python values by name, defaults included, as the parameter's type makes them.
        overridden: the names that were given from outside, in the order of the parameters.
    """

    typed: dict[str, Any]
    overridden: tuple[str, ...]

    def literals(self) -> dict[str, Any]:
        """What was given, as plain data for the injected cell; secrets are masked."""
        return {name: plain(self.typed[name]) for name in self.overridden}

    def plain(self) -> dict[str, Any]:
        """Every parameter as plain data, for records; secrets are masked."""
        return {name: plain(value) for name, value in self.typed.items()}

    def converted(self) -> dict[str, Any]:
        """What was given and is more than its literal says (dates, paths, tuples, secrets): to be assigned as it is."""
        return {name: self.typed[name] for name in self.overridden if not is_plain(self.typed[name])}

    def secrets(self) -> dict[str, str]:
        """The real text of each given `SecretStr`, by parameter."""
        given = {name: self.typed[name] for name in self.overridden}
        return {name: value.get_secret_value() for name, value in given.items() if isinstance(value, SecretStr)}

    def secret_texts(self) -> frozenset[str]:
        """Every text to mask in what a run writes: secrets at any depth, defaults included."""
        return frozenset(text for text in secret_texts(self.typed) if text)
