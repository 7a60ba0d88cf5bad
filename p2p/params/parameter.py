"""One parameter, resolved: its type, default and help, and the pydantic field that checks it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from p2p.model import UNSET
from p2p.params.annotation import bounds, holds_secret
from p2p.params.plain import plain
from p2p.secrets import MASK


@dataclass(frozen=True, eq=False)
class Parameter:
    """A declared parameter whose annotation and default have been worked out.

    Attributes:
        name: as the cell binds it, and as it is given from outside.
        attribute: its field in the model; differs from the name only where pydantic or a type needs the name.
        annotation: the type, taken from the default where the cell gives none.
        type_source: source text of the type.
        default: the value; UNSET where one must be given.
        default_source: source text of the value.
        help: what it means, in one line; empty when nobody wrote it down.
    """

    name: str
    attribute: str
    annotation: Any
    type_source: str
    default: Any
    default_source: str | None
    help: str

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.annotation)

    @cached_property
    def secret(self) -> bool:
        return holds_secret(self.annotation)

    @property
    def required(self) -> bool:
        return self.default is UNSET

    def field(self) -> tuple[Any, FieldInfo]:
        """Type and field as `create_model` takes them."""
        field = Field(
            ... if self.required else self.default,
            alias=None if self.attribute == self.name else self.name,
            description=self.help or None,
        )
        return self.annotation, field

    def accepts(self, value: Any) -> bool:
        """Whether the type takes a value; it does not when its own code raises."""
        try:
            self.adapter.validate_python(value)
        except Exception:  # noqa: BLE001 - a validator of the author's may raise anything
            return False
        return True

    def fault(self, value: Any) -> str:
        """How checking the value breaks down, where the type's own code raises instead of answering; else empty."""
        try:
            self.adapter.validate_python(value)
        except ValidationError:
            return ""
        except Exception as error:  # noqa: BLE001 - a validator of the author's may raise anything
            # Its message may repeat the value.
            return f"{self.name} cannot be checked: its type raised {type(error).__name__}."
        return ""

    def describe(self) -> dict[str, Any]:
        """The parameter as plain data, for people and forms."""
        return {
            "name": self.name,
            "type": self.type_source,
            "default": self._plain_default(),
            "required": self.required,
            "help": self.help,
            "bounds": bounds(self.annotation),
        }

    def _plain_default(self) -> Any:
        if self.required:
            return None
        if self.accepts(self.default):
            return plain(self.adapter.validate_python(self.default))
        return MASK if self.secret else plain(self.default)
