"""The way home: what was mended in a debug notebook goes into the notebook that the step came from, or nothing does."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2p.analysis import cell_names, is_step_mark, parse_cell, split_lines
from p2p.debugging.cells import Definition, definition_of, mark_and_code, marked_cell
from p2p.debugging.modules import STEPS, function_statement
from p2p.debugging.scene import digest_text
from p2p.debugging.writing import FORMAT, TAG
from p2p.drift import pull, write_cells
from p2p.drift.hand import open_version
from p2p.errors import AnalysisError, EvidenceRefused, InputRefused, NotebookError, TargetError
from p2p.export.statements import split_statements
from p2p.files import write_atomic
from p2p.model import Finding
from p2p.notebook import Cell, Notebook, read_notebook
from p2p.notebook.loading import load_notebook
from p2p.notebook.texts import TEXTS
from p2p.settings import Settings

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Home:
    """What a debug notebook's pull came to.

    Attributes:
        notebook: the notebook, or the Python file, that has the step.
        step: its name.
        cells: numbers of the cells that have changed.
        units: the functions and constants that were brought back; for a cell, the step.
        version: the version that ran, as `name@3`; empty for a notebook's run.
    """

    notebook: Path
    step: str
    cells: tuple[int, ...] = ()
    units: tuple[str, ...] = ()
    version: str = ""


def take_home(path: Path, settings: Settings) -> Home:
    """Bring the code of a debug notebook's own cell into the notebook that the step came from.

    Raises:
        InputRefused: it is no debug notebook, its code is no Python, or what it came from is gone.
        EvidenceRefused: what it came from has changed since, or the edit has no place there. Nothing was written.
    """
    facts = _facts(path)
    code = _code(path)
    if facts["kind"] == "module":
        return _into_version(facts, code, settings)
    if facts["kind"] == "script":
        return _into_script(facts, code, settings)
    notebook = _notebook(facts, settings)
    number, source = (_in_cell if facts["kind"] == "cell" else _in_function)(notebook, facts, code)
    if source == notebook.cells[number - 1].source:
        return Home(notebook.path, facts["step"])
    cell_names(source)  # raises where it is no Python
    write_cells(notebook, {number: source})
    return Home(notebook.path, facts["step"], (number,), (facts.get("function") or facts["step"],))


_NEEDED: Mapping[str, Mapping[str, type]] = {
    "cell": {"notebook": str, "step": str, "digest": str, "whole": str},
    "function": {"notebook": str, "step": str, "digest": str, "whole": str, "function": str},
    "script": {"path": str, "step": str, "digest": str, "whole": str, "function": str},
    "module": {"pipeline": str, "version": int, "step": str, "digest": str, "function": str},
}


def _facts(path: Path) -> dict[str, Any]:
    """What a debug notebook says of where it came from."""
    noted = load_notebook(path).get("metadata", {}).get("p2p")
    facts = noted.get("debug") if isinstance(noted, dict) else None
    if not isinstance(facts, dict):
        raise InputRefused(f"'{path}' is no debug notebook.", cure="`p2p debug RUN` writes one; pull that.")
    needed = _NEEDED.get(str(facts.get("kind")))
    if (
        facts.get("format") != FORMAT
        or needed is None
        or any(not isinstance(facts.get(n), t) for n, t in needed.items())
    ):
        raise InputRefused(
            f"The metadata of '{path}' do not say where its step came from.", cure="Write it anew with `p2p debug`."
        )
    return facts


def _code(path: Path) -> str:
    """The code of the one cell that has the tag."""
    found = [cell for cell in read_notebook(path).cells if TAG in cell.tags]
    if len(found) != 1:
        raise InputRefused(
            f"'{path}' has {len(found)} cells with the tag '{TAG}'.", cure="Leave one cell with it: the step's code."
        )
    source = found[0].source
    if is_step_mark(source):
        raise InputRefused(
            f"The cell '{TAG}' of '{path}' has a mark.", cure="Take it out: the step's cell has its own."
        )
    try:
        cell_names(source)
    except AnalysisError as error:
        raise AnalysisError(f"The cell '{TAG}' of '{path}' is not pulled: {error.message}", cure=error.cure) from error
    return source


def _notebook(facts: Mapping[str, Any], settings: Settings) -> Notebook:
    path = (settings.root / facts["notebook"]).resolve()
    if path.suffix not in (".ipynb", *TEXTS) or not path.is_relative_to(settings.root) or not path.is_file():
        raise TargetError(f"There is no notebook '{facts['notebook']}'.", cure="Put it back where it was.")
    return read_notebook(path)


def _into_script(facts: Mapping[str, Any], code: str, settings: Settings) -> Home:
    """Put the function into its Python file."""
    path = (settings.root / facts["path"]).resolve()
    if path.suffix != ".py" or not path.is_relative_to(settings.root) or not path.is_file():
        raise TargetError(f"There is no Python file '{facts['path']}'.", cure="Put it back where it was.")
    text = path.read_bytes().decode("utf-8")
    ends = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    _, source = _in_function(Notebook(path, (Cell(0, 1, "", plain, ()),), ""), facts, code)
    if source == plain:
        return Home(path, facts["step"])
    write_atomic(path, source.replace("\n", ends).encode("utf-8"), mode=path.stat().st_mode & 0o777)
    return Home(path, facts["step"], (), (facts["function"],))


def _in_cell(notebook: Notebook, facts: Mapping[str, Any], code: str) -> tuple[int, str]:
    """The number of the step's cell, and its text with that code."""
    cell = marked_cell(notebook, facts["step"])
    if cell is None:
        raise _refused(notebook, facts, "its cell is gone.", "Mark its cell again, or make the edit by hand.")
    mark, now = mark_and_code(cell.source)
    if now != code and digest_text(code) != facts["digest"] and digest_text(cell.source) != facts["whole"]:
        raise _refused(notebook, facts, f"its cell {cell.number} was edited since the run.", _BOTH)
    unchanged = digest_text(code) == facts["digest"]
    return cell.number, cell.source if unchanged else mark + _ended(mark) + code


def _ended(mark: str) -> str:
    return "" if mark.endswith(("\n", "\r")) else "\n"


def _in_function(notebook: Notebook, facts: Mapping[str, Any], code: str) -> tuple[int, str]:
    """The number of the cell that defines the step's function, and its text with that code, its decorators kept."""
    found = definition_of(notebook, facts["function"])
    if found is None:
        raise _refused(notebook, facts, "its function is gone.", "Define it again, or make the edit by hand.")
    if digest_text(code) in (facts["digest"], digest_text(found.function.source.rstrip("\n"))):
        return found.cell.number, found.cell.source
    if digest_text(found.text) != facts["whole"]:
        raise _refused(notebook, facts, f"its function was edited since the run, in {_at(notebook, found)}.", _BOTH)
    lines = split_lines(found.cell.source, keepends=True)
    text = "".join(lines[found.function.lineno - 1 : found.function.end_lineno])
    ending = text[len(text.rstrip("\r\n")) :]
    before, after = lines[: found.function.lineno - 1], lines[found.function.end_lineno :]
    return found.cell.number, "".join([*before, _decorated(notebook, facts, text, code) + ending, *after])


def _at(notebook: Notebook, found: Definition) -> str:
    is_script = len(notebook.cells) == 1 and not notebook.digest
    return f"line {found.function.lineno}" if is_script else f"cell {found.cell.number}"


def _decorated(notebook: Notebook, facts: Mapping[str, Any], old: str, code: str) -> str:
    """The new code, in which the function has the decorators of the old one."""
    was, now = (_function(text, facts["function"]) for text in (old, code))
    if was is None or now is None:
        raise _refused(notebook, facts, f"the cell '{TAG}' defines no function '{facts['function']}'.",
                       "Keep its name: the notebook calls it.")  # fmt: skip
    kept = {ast.dump(decorator) for decorator in was.decorator_list}
    if any(ast.dump(decorator) not in kept for decorator in now.decorator_list):
        raise _refused(notebook, facts, "it has a decorator that it had not.", "Decorate it in the notebook.")
    first = min([now.lineno, *(decorator.lineno for decorator in now.decorator_list)])
    lines = split_lines(code, keepends=True)
    decorators = split_lines(old, keepends=True)[: was.lineno - 1]
    return "".join([*lines[: first - 1], *decorators, *lines[now.lineno - 1 :]]).rstrip("\r\n")


def _function(text: str, name: str) -> _Function | None:
    nodes = (node for node in parse_cell(text).body if isinstance(node, _Function) and node.name == name)
    return next(nodes, None)


_BOTH = "Make the edit there by hand, or debug a later run."


def _refused(notebook: Notebook, facts: Mapping[str, Any], what: str, cure: str) -> EvidenceRefused:
    where = f"{notebook.path.name}, step '{facts['step']}'"
    finding = Finding(where, what, "Pulled, the edit would undo something, or come to nothing.", cure)
    return EvidenceRefused(f"Nothing was pulled: {where}: {what}", [finding], cure=cure)


def _into_version(facts: Mapping[str, Any], code: str, settings: Settings) -> Home:
    """Pull as if the function had been edited in the version, whose files stay as they are."""
    version = open_version(facts["pipeline"], facts["version"], settings)
    text = version.read(STEPS)
    own = function_statement(version, split_statements(text, 0), facts["function"])
    path = settings.root / version.manifest.notebook
    if digest_text(code) == facts["digest"]:
        return Home(path, facts["step"], version=version.title)
    if digest_text(own.source) != facts["digest"] or text.count(own.source) != 1:
        where = f"{version.title}, {STEPS}, '{facts['function']}'"
        cure = "Make the edit there, and pull the version."
        finding = Finding(where, "it was edited since.", "Pulled, the edit would undo that.", cure)
        raise EvidenceRefused(f"Nothing was pulled: {finding.where}: {finding.what}", [finding], cure=finding.cure)
    if _function(code, facts["function"]) is None:
        raise NotebookError(f"The cell '{TAG}' defines no function '{facts['function']}'.", cure="Keep its name.")
    done = pull(facts["pipeline"], facts["version"], settings, steps=text.replace(own.source, code, 1))
    return Home(done.notebook.path, facts["step"], done.cells, done.units, version.title)
