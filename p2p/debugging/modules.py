"""A step of a version's run: the function in its `steps.py`, and its call as `pipeline.py` wires it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from p2p.debugging.above import needed_functions
from p2p.debugging.case import Case
from p2p.debugging.scene import Scene, assignable, call_text, digest_text, laid_out
from p2p.drift.hand import Version, open_version
from p2p.errors import TargetError
from p2p.export.statements import Statement, split_statements
from p2p.export.units import is_docstring
from p2p.settings import Settings

STEPS = "steps.py"
_EDITED = "steps.py was edited by hand since its export; the code here is that of the file as it is now."
_OTHER = "The version was written anew since this run; the code here is that of its files as they are now."


@dataclass(frozen=True)
class Wiring:
    """How a pipeline calls a step's function: what `Task(...)` says in `pipeline.py`."""

    function: str
    inputs: Sequence[str] | Mapping[str, str]
    outputs: Sequence[str]
    over: str

    @property
    def arguments(self) -> list[str]:
        if isinstance(self.inputs, Mapping):
            return [f"{argument}={name}" for argument, name in self.inputs.items()]
        return [*self.inputs]


def module_scene(case: Case, settings: Settings) -> Scene:
    """What a step of a version's run is made of. Raises TargetError where the version has no such step."""
    version = open_version(case.name, int(case.facts["version"]), settings)
    wired = wiring(version, case.step.name)
    text = version.read(STEPS)
    statements = split_statements(text, 0)
    own = function_statement(version, statements, wired.function)
    inputs = tuple(name for name in case.step.inputs if assignable(name))
    home = {"kind": "module", "pipeline": case.name, "version": version.manifest.version, "step": case.step.name,
            "function": wired.function, "digest": digest_text(own.source)}  # fmt: skip
    return Scene(
        code=own.source, definitions=_definitions(statements, own, _tasks(version)), inputs=inputs,
        call=call_text(wired.function, wired.arguments, wired.outputs, over=wired.over,
                       wait=isinstance(own.node, ast.AsyncFunctionDef)),
        package=f"pipelines.{case.name}.v{version.manifest.version}" if _is_relative(text) else "",
        home=home, notes=_notes(case, version),
    )  # fmt: skip


def function_statement(version: Version, statements: Sequence[Statement], function: str) -> Statement:
    """The definition of a function; TargetError where there is none."""
    found = [s for s in statements if s.is_definition and getattr(s.node, "name", "") == function]
    if not found:
        raise TargetError(
            f"{STEPS} of {version.title} has no function '{function}'.", cure="Export the notebook again."
        )
    return found[-1]


def wiring(version: Version, step: str) -> Wiring:
    """How a step is wired, read from the text; TargetError where that does not say."""
    for task in _calls_of_task(version):
        function = task.args[0]
        facts = {keyword.arg: keyword.value for keyword in task.keywords}
        name = _literal(facts.get("name"), "") or getattr(function, "attr", "")
        if name == step and isinstance(function, ast.Attribute):
            rest = dict(zip(("inputs", "outputs"), task.args[1:], strict=False))
            inputs, outputs = (_literal(facts.get(key, rest.get(key)), ()) for key in ("inputs", "outputs"))
            return Wiring(function.attr, inputs, outputs, _literal(facts.get("over"), ""))
    raise TargetError(f"pipeline.py of {version.title} has no step '{step}'.", cure="Debug a run of a later version.")


def _calls_of_task(version: Version) -> list[ast.Call]:
    calls = [node for node in ast.walk(ast.parse(version.read("pipeline.py"))) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Task" and call.args]


def _literal(node: ast.expr | None, default: Any) -> Any:
    try:
        return default if node is None else ast.literal_eval(node)
    except ValueError as error:
        raise TargetError(
            f"pipeline.py does not say its wiring in plain names: {ast.unparse(node or ast.Pass())[:80]}.",
            cure="Export it again, or debug a run of the notebook.",
        ) from error


def _tasks(version: Version) -> set[str]:
    return {getattr(call.args[0], "attr", "") for call in _calls_of_task(version)}


def _definitions(statements: Sequence[Statement], own: Statement, tasks: set[str]) -> str:
    """All of the module but its docstring, the function itself, and the steps that it does not call."""
    rest = [s for s in statements if s is not own and not is_docstring(s.node)]
    needed = set(needed_functions(rest, own.names.reads))
    kept = [s.source for s in rest if not s.is_definition or needed & {*s.names.writes} or not _is_task(s, tasks)]
    return laid_out(kept)


def _is_task(statement: Statement, tasks: set[str]) -> bool:
    return getattr(statement.node, "name", "") in tasks


def _is_relative(text: str) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(ast.parse(text)))


def _notes(case: Case, version: Version) -> tuple[str, ...]:
    edited = [_EDITED] if STEPS in version.changed else []
    other = case.facts.get("notebook_digest") not in (None, "", version.manifest.notebook_digest)
    return (*edited, *([_OTHER] if other else []))
