"""The parameters of a notebook as a pydantic model: values from outside go in, checked values come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from p2p.errors import ParameterError
from p2p.model import UNSET
from p2p.params.annotation import kinds
from p2p.params.declared import Declared
from p2p.params.parameter import Parameter
from p2p.params.plain import refusal
from p2p.params.problems import surprise, unknown_problem, validation_problems
from p2p.params.source import CLASS, DOC, params_source
from p2p.params.text import candidates
from p2p.params.values import Values

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class ParameterSet:
    """Every parameter that a notebook declares.

    Attributes:
        declared: as written.
        parameters: as resolved, in the same order.
        imports: the import lines that their types and defaults needed.
    """

    declared: tuple[Declared, ...]
    parameters: tuple[Parameter, ...]
    imports: tuple[str, ...]

    @cached_property
    def model(self) -> type[BaseModel]:
        """The pydantic model; its fields go by the parameters' names (by alias where the name was not free)."""
        config = ConfigDict(extra="forbid", validate_default=True, protected_namespaces=())
        fields: dict[str, Any] = {parameter.attribute: parameter.field() for parameter in self.parameters}
        return create_model(CLASS, __config__=config, __doc__=DOC, **fields)

    @classmethod
    def of(cls, model: type[BaseModel]) -> ParameterSet:
        """The parameters that a pydantic model states: those of an exported version."""
        hints = get_type_hints(model, include_extras=True)
        return cls((), tuple(_of_field(name, field, hints[name]) for name, field in model.model_fields.items()), ())

    def attribute(self, name: str) -> str:
        """The field of the model, and of the exported `Params`, that holds a parameter."""
        return self._named[name].attribute

    def parse(self, given: Mapping[str, Any] = NOTHING, *, text: Mapping[str, str] = NOTHING) -> Values:
        """The checked values of all parameters.

        Args:
            given: plain values by name, as from YAML, JSON or a caller.
            text: command-line texts by name, converted by type; they win over `given`.

        Raises:
            ParameterError: names or values that are refused, all of them at once.
        """
        problems = self._unknown([*given, *text])
        values = self._known(given) | {n: self._meaning(n, value) for n, value in self._known(text).items()}
        refused = self._refused(values)
        model, invalid = self._validated(values, skip=refused)
        problems += [*refused.values(), *invalid]
        if problems or model is None:
            raise ParameterError(problems)
        typed = {parameter.name: getattr(model, parameter.attribute) for parameter in self.parameters}
        return Values(typed, tuple(name for name in self._named if name in values))

    def problem(self, name: str, text: str | None) -> str:
        """Why a parameter alone is refused with this text, as `parse` would say; empty where it is not.

        Args:
            name: a parameter.
            text: as from the command line; None where it is not given, so that its default holds.
        """
        others = {known for known in self._named if known != name}
        values = {} if text is None else {name: self._meaning(name, text)}
        refused = self._refused(values)
        _, invalid = self._validated(values, skip={**refused, **dict.fromkeys(others, "")})
        return " ".join([*refused.values(), *invalid])

    def describe(self) -> list[dict[str, Any]]:
        """Each parameter as plain data: name, type, default, required, help, bounds. Secrets are masked."""
        return [parameter.describe() for parameter in self.parameters]

    def model_source(self) -> tuple[list[str], str]:
        """Import lines and the text of `class Params(BaseModel)`, which give the same model without p2p.

        Raises:
            NotebookError: a default holds a secret, which no exported file may.
        """
        return params_source(self.parameters, self.imports)

    @cached_property
    def _named(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    def _unknown(self, names: Iterable[object]) -> list[str]:
        strange = dict.fromkeys(name for name in names if type(name) is not str or name not in self._named)
        return list(dict.fromkeys(unknown_problem(name, list(self._named)) for name in strange))

    def _known(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if type(name) is str and name in self._named}

    def _meaning(self, name: str, text: str) -> Any:
        """The first reading of a text that the parameter's type takes; the likeliest when it takes none."""
        parameter = self._named[name]
        found = candidates(text, parameter.annotation) if type(text) is str else [text]
        fitting = (v for v in found if not surprise(v, parameter.annotation) and parameter.accepts(v))
        return next(fitting, found[0])

    def _refused(self, values: Mapping[str, Any]) -> dict[str, str]:
        """By name: why a value is refused before its type is asked."""
        found = {}
        for name, value in values.items():
            annotation = self._named[name].annotation
            if reason := refusal(value, kinds(annotation)) or surprise(value, annotation):
                found[name] = f"{name} {reason}."
        return found

    def _validated(self, values: Mapping[str, Any], skip: Mapping[str, str]) -> tuple[BaseModel | None, list[str]]:
        fit = {name: value for name, value in values.items() if name not in skip}
        try:
            return self.model.model_validate(fit), []
        except ValidationError as error:
            # Turned into sentences here: the error itself holds the values, secrets too, and must not be chained.
            return None, validation_problems(error, self._named, values, skip)
        except Exception:  # noqa: BLE001 - a validator of the author's may raise anything
            return None, self._faults(fit)

    def _faults(self, values: Mapping[str, Any]) -> list[str]:
        complete = {p.name: values.get(p.name, p.default) for p in self.parameters}
        faults = (p.fault(complete[p.name]) for p in self.parameters if complete[p.name] is not UNSET)
        return [fault for fault in faults if fault] or ["The parameters cannot be checked: a type's own code raised."]


def _of_field(attribute: str, field: FieldInfo, annotation: Any) -> Parameter:
    default = UNSET if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    name = field.alias or attribute
    source = None if default is UNSET else repr(default)
    return Parameter(name, attribute, annotation, _type_text(annotation), default, source, field.description or "")


def _type_text(annotation: Any) -> str:
    """A type in a few words, for people: `Annotated[int, ...]` is `int`, whose bounds are told beside it."""
    plain_type = getattr(annotation, "__origin__", annotation) if hasattr(annotation, "__metadata__") else annotation
    return plain_type.__name__ if isinstance(plain_type, type) and not get_args(plain_type) else str(plain_type)
