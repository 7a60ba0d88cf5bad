"""A step whose function is in a Python file: a script that makes runs with `p2p.run`, or a module that is imported."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from p2p.analysis import StepFunction, cell_names, split_lines
from p2p.debugging.above import Above
from p2p.debugging.case import Case
from p2p.debugging.cells import Definition, definition_of
from p2p.debugging.scene import Scene, assignable, call_text, digest_text
from p2p.errors import TargetError
from p2p.export.statements import split_statements
from p2p.notebook import Cell, Notebook
from p2p.session.script import SOURCE
from p2p.settings import Settings

_NOW = "The code is that of '{}' as it is now: this run kept no copy of it."
_UNMET = "'{}' is set where the script runs, not at its top: give it a value in the first code cell."
_AT_WORK = ast.With | ast.AsyncWith | ast.Expr | ast.For | ast.AsyncFor | ast.While  # what a script does, not defines


@dataclass(frozen=True)
class Source:
    """A Python file that has a step's function.

    Attributes:
        path: relative to the project.
        text: as it ran, where the run kept it; else as it is now.
        base: the folder, relative to the project, that it is imported from.
        kept: whether the text is the run's own copy.
    """

    path: PurePosixPath
    text: str
    base: PurePosixPath
    kept: bool = False


def script_scene(case: Case, settings: Settings) -> Scene:
    """What a step is made of whose function is in a Python file. Raises TargetError where no file has it."""
    source = _source_of(case, settings)
    found = find_function(settings.root / source.path, source.text, case.function or case.step.name)
    if found is None:
        raise TargetError(
            f"'{source.path}' has no step function '{case.function or case.step.name}' at its top.",
            cure="Define it there, not in another function or class; or debug a later run, where it was edited since.",
        )
    function = found.function
    code = function.source.rstrip("\n")
    above = Above((), ())
    above.walk([_definitions(source.text)], cell_names(code).reads, [function.name, *dir(builtins), "__file__"])
    home = {"kind": "script", "path": source.path.as_posix(), "step": case.step.name, "function": function.name,
            "digest": digest_text(code), "whole": digest_text(found.text)}  # fmt: skip
    return Scene(
        code=code, definitions="\n".join(above.definitions), inputs=tuple(filter(assignable, case.step.inputs)),
        call=_call(case, function), package=case.module.rpartition(".")[0], home=home,
        beside="" if source.base == PurePosixPath() else source.base.as_posix(),
        notes=(*([] if source.kept else [_NOW.format(source.path)]), *map(_UNMET.format, sorted(above.unmet))),
    )  # fmt: skip


def find_function(path: Path, text: str, name: str) -> Definition | None:
    """The last definition of a step's function in a Python file with this text."""
    return definition_of(Notebook(path, (Cell(0, 1, "", text, ()),), ""), name)


def _source_of(case: Case, settings: Settings) -> Source:
    """The file that defines the function; the run has kept the script that made it."""
    told = PurePosixPath(str(case.facts.get("source") or ""))
    script = told if case.kind == "script" else None
    for path, base in _places(case, told):
        there = (settings.root / path).resolve()
        if path.suffix != ".py" or not there.is_relative_to(settings.root):
            continue
        kept = case.run.directory / SOURCE
        if path == script and kept.is_file():
            return Source(path, _read(kept), base, kept=True)
        if there.is_file():
            return Source(path, _read(there), base)
    raise TargetError(
        f"The Python file that has step '{case.step.name}' of run {case.run.summary.key} is not in this project: "
        f"{case.module or told}.",
        cure="Put it back where it was; p2p debug opens files of the project alone.",
    )


def _places(case: Case, told: PurePosixPath) -> Iterator[tuple[PurePosixPath, PurePosixPath]]:
    """Where the file may lie, and the folder that it is imported from then."""
    if not case.module:
        yield told, told.parent
        return
    parts = case.module.split(".")
    for base in dict.fromkeys([told.parent, PurePosixPath(), PurePosixPath("src")]):
        yield base.joinpath(*parts).with_suffix(".py"), base
        yield base.joinpath(*parts, "__init__.py"), base


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape").replace("\r\n", "\n")


def _definitions(text: str) -> Cell:
    """The file without what it does when it runs, as one cell: opening a step must not begin a run."""
    lines = split_lines(text)
    for statement in split_statements(text, 1):
        if isinstance(statement.node, _AT_WORK) or _asks_whether_it_runs(statement.node):
            for line in range(statement.node.lineno, (statement.node.end_lineno or statement.node.lineno) + 1):
                lines[line - 1] = ""
    return Cell(0, 1, "", "\n".join(lines), ())


def _asks_whether_it_runs(node: ast.stmt) -> bool:
    names = ast.walk(node.test) if isinstance(node, ast.If) else ()
    return any(isinstance(name, ast.Name) and name.id == "__name__" for name in names)


def _call(case: Case, function: StepFunction) -> str:
    taken = [name for name in case.step.inputs if name in function.parameters and assignable(name)]
    over = taken[0] if case.mapped and taken else ""
    arguments = [f"{name}={name}" for name in taken]
    return call_text(function.name, arguments, function.returns or ("result",), over=over, wait=function.is_async)
