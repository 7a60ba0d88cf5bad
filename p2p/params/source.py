"""Writes the parameters as a pydantic class that needs nothing of p2p."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from pydantic import ValidationError

from p2p.errors import NotebookError
from p2p.params.parameter import Parameter
from p2p.params.plain import secret_texts

CLASS: Final = "Params"
DOC: Final = "The parameters of the notebook."
# Where pydantic warns about a field's name; only then is it told not to.
_PROTECTED = ("model_validate", "model_dump")


def params_source(parameters: Sequence[Parameter], imports: Iterable[str]) -> tuple[list[str], str]:
    """Import lines and class text; both together can be executed, and give the same model."""
    needed = ["from pydantic import BaseModel", "from pydantic import ConfigDict"]
    if any(parameter.attribute != parameter.name for parameter in parameters):
        needed.append("from pydantic import Field")
    fields = "\n\n".join(_field(parameter) for parameter in parameters)
    free = any(parameter.attribute.startswith(_PROTECTED) for parameter in parameters)
    options = 'extra="forbid", use_attribute_docstrings=True' + (", protected_namespaces=()" if free else "")
    head = f'class {CLASS}(BaseModel):\n    """{DOC}"""\n\n    model_config = ConfigDict({options})\n'
    return _merged([*imports, *needed]), head + (f"\n{fields}\n" if fields else "")


def _field(parameter: Parameter) -> str:
    _refuse_secret(parameter)
    line = f"    {parameter.attribute}: {parameter.type_source}"
    default = parameter.default_source
    if parameter.attribute != parameter.name:
        line += f' = Field({"" if default is None else f"{_argument(default)}, "}alias="{parameter.name}")'
    elif default is not None:
        line += f" = {default}"
    return f"{line}\n    {_docstring(parameter.help)}" if parameter.help else line


def _argument(default: str) -> str:
    """A default as one argument of a call: `1, 2` needs brackets there."""
    call = ast.parse(f"f({default})", mode="eval").body
    alone = isinstance(call, ast.Call) and len(call.args) == 1 and not isinstance(call.args[0], ast.GeneratorExp)
    return default if alone else f"({default})"


def _docstring(text: str) -> str:
    return f'"""{text}"""' if text.isprintable() and not set(text) & {'"', "\\"} else repr(text)


def _refuse_secret(parameter: Parameter) -> None:
    if not parameter.secret or parameter.default_source is None:
        return
    constants = {
        node.value
        for node in ast.walk(ast.parse(parameter.default_source, mode="eval"))
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and node.value
    }
    texts = {word.decode("utf-8", "replace") if isinstance(word, bytes) else word for word in constants}
    if any(word in secret for word in texts for secret in _secrets_of(parameter)):
        raise NotebookError(
            f"Parameter '{parameter.name}' has a secret as its default, which an exported module would carry along.",
            cure=f"Leave the default out (`{parameter.name}: {parameter.type_source}`) or read it from `os.environ`.",
        )


def _secrets_of(parameter: Parameter) -> list[str]:
    try:
        return list(secret_texts(parameter.adapter.validate_python(parameter.default)))
    except ValidationError:
        return [str(parameter.default)]


def _merged(lines: Iterable[str]) -> list[str]:
    """The import lines in one order, with one line for each module that names are taken from."""
    taken: dict[str, set[str]] = {}
    plain: set[str] = set()
    for line in dict.fromkeys(lines):
        node: Any = ast.parse(line).body[0]
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            taken.setdefault(module, set()).update(_aliases(node))
        else:
            plain.add(line)
    return [*sorted(plain), *(f"from {module} import {', '.join(sorted(taken[module]))}" for module in sorted(taken))]


def _aliases(node: ast.ImportFrom) -> Iterator[str]:
    return (f"{alias.name} as {alias.asname}" if alias.asname else alias.name for alias in node.names)
