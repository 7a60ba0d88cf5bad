"""From the source of a parameters cell to its `ParameterSet`: the story of reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from p2p.errors import NotebookError
from p2p.model import UNSET
from p2p.params.declared import Declared, assignments
from p2p.params.model import ParameterSet
from p2p.params.parameter import Parameter
from p2p.params.scope import Cell, Scope, names_in

CURE: Final = "Import the name in a cell of its own, or use a builtin type."
# The class text itself needs these names.
_CLASS_NAMES = {"BaseModel", "ConfigDict", "Field"}


def read_parameters(source: str, imports: Sequence[str] = ()) -> ParameterSet:
    """The parameters of a cell, with their types and defaults worked out and no kernel started.

    Args:
        source: the cell tagged `parameters`.
        imports: other cells of the notebook, in its order. Of their code, only those import statements run that
            bind a name which an annotation or default uses.

    Raises:
        NotebookError: the cell is not Python, or a type or default cannot be worked out; all of them at once.
    """
    items = assignments(source)
    scope = Scope([*imports, source])
    cell = Cell(items, scope)
    last = {item.name: index for index, item in enumerate(items) if not item.name.startswith("_")}
    found: list[Parameter] = []
    problems: list[str] = []
    for index in sorted(last.values()):
        try:
            found.append(_resolved(items[index], index, cell, scope))
        except NotebookError as error:
            problems.append(str(error))
    if problems:
        raise NotebookError(" ".join(problems), fields={"problems": problems})
    parameters = _with_attributes(found)
    return ParameterSet(tuple(items[i] for i in sorted(last.values())), parameters, tuple(dict.fromkeys(scope.lines)))


def _resolved(item: Declared, index: int, cell: Cell, scope: Scope) -> Parameter:
    default = UNSET if item.default is None else _default(item, index, cell)
    if item.annotation is None:
        annotation = _type_of(default)
        type_source = _type_source(item, annotation, scope)
    else:
        annotation, type_source = _annotation(item, index, cell), cell.annotation_source(index)
    described = _described(item, annotation)
    parameter = Parameter(
        item.name, item.name, annotation, type_source, default, cell.default_source(index), described or item.help
    )
    _check_usable(parameter, item)
    return parameter


def _default(item: Declared, index: int, cell: Cell) -> Any:
    try:
        value = cell.value(index)
    except Exception as error:  # noqa: BLE001 - the author's expression may raise anything
        reason = str(error) if isinstance(error, NotebookError) else f"{type(error).__name__}: {error}"
        raise NotebookError(
            f"The default of parameter '{item.name}' (line {item.line}) cannot be worked out before the notebook runs: "
            f"{reason.rstrip('.')}.",
            cure=f"Use a plain value, imports and lines above it, or call it '_{item.name}' if it is no parameter.",
        ) from None
    if isinstance(value, FieldInfo):
        raise NotebookError(
            f"The default of parameter '{item.name}' (line {item.line}) is a Field, which a notebook does not turn "
            "into a value.",
            cure=f"Write `{item.name}: Annotated[{item.annotation or 'int'}, Field(...)] = value`.",
        )
    return value


def _annotation(item: Declared, index: int, cell: Cell) -> Any:
    try:
        return cell.annotation(index)
    except Exception as error:  # noqa: BLE001 - the author's expression may raise anything
        reason = str(error) if isinstance(error, NotebookError) else f"{type(error).__name__}: {error}"
        raise NotebookError(f"{_subject(item)} cannot be resolved: {reason.rstrip('.')}.", cure=CURE) from None


def _type_of(default: Any) -> Any:
    if default is None:
        return Any
    return Path if isinstance(default, Path) else type(default)


def _type_source(item: Declared, kind: Any, scope: Scope) -> str:
    try:
        return scope.type_source(kind)
    except (AttributeError, ImportError):
        raise _not_givable(item, kind.__name__) from None


def _described(item: Declared, annotation: Any) -> str:
    """The description inside the annotation's Field; a Field that would rename or set the parameter is refused."""
    try:
        field = FieldInfo.from_annotation(annotation)
    except Exception as error:  # noqa: BLE001 - pydantic raises several kinds for what is no type
        raise NotebookError(f"{_subject(item)} is no type: {type(error).__name__}.", cure=CURE) from None
    names = (field.alias, field.validation_alias, field.serialization_alias)
    if any(names) or field.default is not PydanticUndefined or field.default_factory is not None:
        raise NotebookError(
            f"{_subject(item)} sets an alias or a default inside Field, of which the notebook knows nothing.",
            cure=f"Write the default behind it: `{item.name}: ... = value`.",
        )
    return field.description or ""


def _check_usable(parameter: Parameter, item: Declared) -> None:
    """Let pydantic build what checks the parameter: alone, so that the one at fault is named."""
    trial = ParameterSet((item,), (_with_attributes([parameter])[0],), ())
    try:
        usable = parameter.adapter.pydantic_complete and len(trial.model.model_fields) == 1
        usable = usable and (parameter.required or not parameter.fault(parameter.default))
    except Exception:  # noqa: BLE001 - pydantic raises several kinds for types that it cannot check
        usable = False
    if usable:
        return
    if item.annotation is not None:
        raise NotebookError(f"{_subject(item)} is no type that values can be checked against.", cure=CURE)
    raise _not_givable(item, parameter.type_source)


def _not_givable(item: Declared, kind: str) -> NotebookError:
    return NotebookError(
        f"Parameter '{item.name}' (line {item.line}) has a default of type {kind}, which cannot be given from outside.",
        cure=f"Call it '_{item.name}', or move it to another cell.",
    )


def _subject(item: Declared) -> str:
    return f"The annotation `{item.annotation}` of parameter '{item.name}' (line {item.line})"


def _with_attributes(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """Each parameter with a field name that hides neither pydantic's own names nor a name that a type needs."""
    sources = [text for p in parameters for text in (p.type_source, p.default_source) if text is not None]
    needed = _CLASS_NAMES.union(*(names_in(text) for text in sources))
    taken = {parameter.name for parameter in parameters}
    found = []
    for parameter in parameters:
        attribute = parameter.name
        if attribute in needed or hasattr(BaseModel, attribute):
            attribute = _free(attribute, needed | taken)
            taken.add(attribute)
        found.append(replace(parameter, attribute=attribute))
    return tuple(found)


def _free(name: str, taken: Iterable[str]) -> str:
    while name in taken or hasattr(BaseModel, name):
        name += "_"
    return name
