"""A step of a notebook's run: the code of its cell or function, as the run's own notebook has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from p2p.analysis import (
    StepCall,
    StepFunction,
    cell_names,
    is_step_mark,
    split_lines,
    split_mark,
    step_calls,
    step_functions,
)
from p2p.debugging.above import Above
from p2p.debugging.case import Case
from p2p.debugging.scene import Scene, assignable, call_text, digest_text, laid_out
from p2p.errors import P2PError, TargetError
from p2p.notebook import Cell, Notebook, read_notebook
from p2p.notebook.loading import load_notebook
from p2p.notebook.texts import TEXTS
from p2p.secrets import MASK
from p2p.settings import Settings

_SECRET = "'{}' was a secret, which is written nowhere: give it a value in the first code cell."
_NOW = "The code is that of the notebook as it is now: this run kept no copy of it."


@dataclass(frozen=True)
class Definition:
    """A step's function in a notebook."""

    cell: Cell
    function: StepFunction

    @property
    def text(self) -> str:
        """Its text with its decorators."""
        return "\n".join(split_lines(self.cell.source)[self.function.lineno - 1 : self.function.end_lineno])


def notebook_scene(case: Case, settings: Settings) -> Scene:
    """What a step of a notebook's run is made of. Raises TargetError where no notebook has it."""
    path, notes = _as_it_ran(case, settings)
    notebook = read_notebook(path)
    source = _source(case, settings)
    around: dict[str, Any] = {
        "folder": "" if source.parent == PurePosixPath() else source.parent.as_posix(),
        "kernel": _kernel(path), "notes": notes,
    }  # fmt: skip
    home = {"kind": "cell", "notebook": source.as_posix(), "step": case.step.name}
    cell = marked_cell(notebook, case.step.name)
    if cell is not None:
        return _cell_scene(case, notebook, cell, home, around)
    found = definition_of(notebook, case.function or case.step.name)
    if found is None:
        raise TargetError(
            f"'{path}' has no cell for step '{case.step.name}'.", cure="Its code was edited since; debug a later run."
        )
    return _function_scene(case, notebook, found, home, around)


def marked_cell(notebook: Notebook, step: str) -> Cell | None:
    """The cell that is marked as this step."""
    for cell in notebook.cells:
        try:
            mark, _ = split_mark(cell.source)
        except P2PError:
            continue
        if mark is not None and mark.name == step:
            return cell
    return None


def mark_and_code(source: str) -> tuple[str, str]:
    """A marked cell as its text up to the end of the mark's line, and the code below."""
    lines = source.splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if line.strip()) + 1
    return "".join(lines[:at]), "".join(lines[at:])


def definition_of(notebook: Notebook, name: str) -> Definition | None:
    """The last definition of a step's function."""
    found = [Definition(cell, one) for cell in notebook.cells for one in _functions(cell) if one.name == name]
    return found[-1] if found else None


def _as_it_ran(case: Case, settings: Settings) -> tuple[Path, tuple[str, ...]]:
    """The notebook that has the code that ran, and what there is to say of it."""
    kept = case.run.directory / f"{case.name}.ipynb"
    if case.kind == "notebook" and kept.parent == case.run.directory and kept.is_file():
        return kept, ()
    path = (settings.root / _source(case, settings)).resolve()
    if path.suffix not in (".ipynb", *TEXTS) or not path.is_file() or not path.is_relative_to(settings.root):
        raise TargetError(
            f"The notebook of run {case.run.summary.key} is not there, or is there twice: "
            f"'{case.facts.get('source')}'.",
            cure="Put it back where it was.",
        )
    same = case.facts.get("notebook_digest") == read_notebook(path).digest
    return path, () if same else (_NOW,)


def _source(case: Case, settings: Settings) -> PurePosixPath:
    """Where the notebook lies, relative to the project.

    An interactive run tells no more than its file's name, which is looked for in the project's own folders.
    """
    told = PurePosixPath(str(case.facts.get("source") or ""))
    if case.kind != "interactive" or (settings.root / told).is_file():
        return told
    folders = (path for path in sorted(settings.root.iterdir()) if path.is_dir() and path.name != "debug")
    found = [PurePosixPath(folder.name, told.name) for folder in folders if (folder / told.name).is_file()]
    return found[0] if len(found) == 1 else told


def _cell_scene(
    case: Case, notebook: Notebook, cell: Cell, home: Mapping[str, Any], around: Mapping[str, Any]
) -> Scene:
    code = mark_and_code(cell.source)[1]
    above = _above(case, [c for c in notebook.cells if c.number < cell.number], cell_names(cell.source).reads, ())
    facts = {**home, "digest": digest_text(code), "whole": digest_text(cell.source)}
    return Scene(code=code, home=facts, **_found(case, above, around))


def _function_scene(
    case: Case, notebook: Notebook, found: Definition, home: Mapping[str, Any], around: Mapping[str, Any]
) -> Scene:
    name = found.function.name
    code = found.function.source.rstrip("\n")
    caller, call = _call(case, notebook, name)
    last = caller.number if caller is not None else len(notebook.cells)
    cells = [c for c in notebook.cells if c.number <= last]
    unstored = [name for name in case.step.inputs if name not in _loaded(case)] if call and call.simple else []
    above = _above(case, cells, [*cell_names(code).reads, *unstored], [name])
    facts = {**home, "kind": "function", "function": name, "digest": digest_text(code),
             "whole": digest_text(found.text)}  # fmt: skip
    return Scene(code=code, home=facts, call=_written(case, found.function, call), **_found(case, above, around))


def _found(case: Case, above: Above, around: Mapping[str, Any]) -> dict[str, Any]:
    """What was found above a step. An input that is not in the store and that nothing gives is loaded: it says why."""
    lost = [name for name in case.step.inputs if name in above.unmet and assignable(name)]
    secrets = [name for name in above.loads if MASK in json.dumps(case.run.params.get(name), default=str)]
    return {**around, "loads": above.loads, "definitions": laid_out(above.definitions),
            "inputs": (*_loaded(case), *lost), "notes": (*around["notes"], *map(_SECRET.format, secrets))}  # fmt: skip


def _above(case: Case, cells: Sequence[Cell], reads: Sequence[str], own: Sequence[str]) -> Above:
    steps = case.run.record.steps
    before = [step for step in steps[: _place(case)] if not step.parent]
    above = Above(before, list(case.run.params))
    above.walk(cells, reads, [*own, *_loaded(case)])
    return above


def _place(case: Case) -> int:
    """How many steps of the run began before this one."""
    names = [step.name for step in case.run.record.steps]
    return names.index(case.step.name) if case.step.name in names else len(names)


def _loaded(case: Case) -> tuple[str, ...]:
    """The inputs that are in the store."""
    return tuple(name for name, ref in case.step.inputs.items() if assignable(name) and ref.codec is not None)


def _call(case: Case, notebook: Notebook, function: str) -> tuple[Cell | None, StepCall | None]:
    """The cell that calls the step's function, and the call."""
    count = 0
    for cell in notebook.cells:
        for call in _calls(cell, function):
            count += 1
            if case.step.name == (function if count == 1 else f"{function}_{count}"):
                return cell, call
    return None, None


def _written(case: Case, function: StepFunction, call: StepCall | None) -> str:
    """The call, on the names that the run told."""
    inputs = case.step.inputs
    if call is not None and call.simple and all(name in inputs for name in call.argument_names):
        arguments = [text if keyword is None else f"{keyword}={text}" for keyword, text in call.arguments]
        over = (call.argument_names[0] or "") if call.mapped else ""
        return call_text(function.name, arguments, call.targets, over=over, wait=function.is_async)
    named = [f"{name}={name}" for name in inputs if name in function.parameters and assignable(name)]
    over = next(iter(inputs), "") if case.mapped and named else ""
    return call_text(function.name, named, (), over=over, wait=function.is_async)


def _functions(cell: Cell) -> Sequence[StepFunction]:
    try:
        return step_functions(cell.source)
    except P2PError:
        return ()


def _calls(cell: Cell, function: str) -> Iterator[StepCall]:
    if is_step_mark(cell.source):
        return
    try:
        yield from step_calls(cell.source, [function])
    except P2PError:
        return


def _kernel(path: Path) -> Mapping[str, Any]:
    found = load_notebook(path).get("metadata", {}).get("kernelspec")
    return found if isinstance(found, dict) else {}
