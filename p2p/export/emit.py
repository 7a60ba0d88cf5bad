"""From a plan to the text of its module's files, formatted by ruff. Only pipeline.py imports p2p."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from p2p.export.moving import PACKAGE, moved
from p2p.export.plan import Plan, PlannedStep
from p2p.export.statements import indent
from p2p.model import ValueRef
from p2p.params import ParameterSet
from p2p.policy import Named

# How a value's type is written in a signature: (import line, text). Types that need none have an empty line.
_KNOWN_TYPES = {
    "pandas.DataFrame": ("import pandas as pd", "pd.DataFrame"),
    "pandas.Series": ("import pandas as pd", "pd.Series"),
    "numpy.ndarray": ("import numpy as np", "np.ndarray"),
    **{f"builtins.{name}": ("", name) for name in ("str", "int", "float", "bool", "list", "dict", "tuple", "set")},
}
# The builtin type of a parameter, with or without `Annotated` around it.
_PLAIN = re.compile(r"(?:Annotated\[)?(int|float|str|bool|list|dict)(?=[,\[]|$)")
_PANDAS = {"pandas.core.frame.DataFrame": "pandas.DataFrame", "pandas.core.series.Series": "pandas.Series"}


def params_file(parameters: ParameterSet, plan: Plan) -> str:
    """`params.py`: the parameters as a pydantic model."""
    imports, source = parameters.model_source()
    lines = [f'"""Parameters of {plan.name}."""', "", *imports, "", "", source]
    return formatted("\n".join(lines), "params.py")


def one_type_each(values: Iterable[tuple[str, ValueRef]]) -> dict[str, ValueRef]:
    """By name a value of it, where all its values are of one type; a signature that named another would be wrong."""
    found: dict[str, ValueRef] = {}
    several = set()
    for name, ref in values:
        if found.setdefault(name, ref).type != ref.type:
            several.add(name)
    return {name: ref for name, ref in found.items() if name not in several}


def steps_file(plan: Plan, types: Mapping[str, ValueRef], params: ParameterSet) -> str:
    """`steps.py`: one plain function a step, and above them what they use.

    Args:
        plan: the plan.
        types: a recorded value of each name that has one type (see `one_type_each`), for the signatures.
        params: the parameters, for theirs.
    """
    annotations = _Annotations(plan, types, params)
    functions = {step.function: step for step in reversed(plan.steps)}
    ordered = [step for step in plan.steps if functions[step.function] is step]
    texts = [_function(step, annotations) for step in ordered]
    head = [f'"""The steps of {plan.name}, in the order in which they run."""', ""]
    parts = [
        "\n".join([*head, *annotations.import_lines(), *(s.source for s in plan.imports)]),
        "\n".join(s.source for s in plan.setup),
        "\n\n".join(s.source for s in plan.helpers),
        "\n\n".join(plan.nested_sources),
        *texts,
    ]
    text = "\n\n\n".join(part for part in parts if part) + "\n"
    return formatted(moved(text, plan.neighbours.names, f".{PACKAGE}"), "steps.py")


def _function(step: PlannedStep, annotations: _Annotations) -> str:
    if step.is_function:
        return step.source
    lead = "async def" if step.is_async else "def"
    signature = f"{lead} {step.function}({annotations.arguments(step)}){annotations.returns(step)}:"
    body = "\n".join([*(s.source for s in step.local), step.source])
    lines = [signature, f"    {_docstring(step)}", indent(body), *_return(step)]
    return "\n".join(line for line in lines if line)


def _return(step: PlannedStep) -> list[str]:
    return [f"    return {', '.join(step.outputs)}"] if step.outputs else []


def _docstring(step: PlannedStep) -> str:
    heading = step.heading.strip().rstrip(".").replace("\\", "").replace('"', "'")
    return f'"""{heading or step.name.replace("_", " ").capitalize()} (cell {step.cell})."""'


class _Annotations:
    """Types for the signatures, where the recorded values have types that people write."""

    def __init__(self, plan: Plan, types: Mapping[str, ValueRef], params: ParameterSet) -> None:
        self._types = types
        self._params = {p["name"]: p["type"] for p in params.describe()}
        self._given = {name for step in plan.steps for name in step.outputs}
        self._taken = {name for s in plan.imports for name in s.names.writes}
        self._lines: dict[str, None] = {}

    def arguments(self, step: PlannedStep) -> str:
        return ", ".join(f"{name}: {text}" if (text := self._of(name)) else name for name in step.takes)

    def returns(self, step: PlannedStep) -> str:
        texts = [self._of(name) for name in step.outputs]
        if not texts:
            return " -> None"
        if not all(texts):
            return ""
        return f" -> {texts[0]}" if len(texts) == 1 else f" -> tuple[{', '.join(texts)}]"

    def import_lines(self) -> list[str]:
        return list(self._lines)

    def _of(self, name: str) -> str:
        """The type of a name; nothing where a step gives to a parameter's name what may be of another type."""
        if name not in self._params:
            return self._recorded(name)
        kind = _PLAIN.match(str(self._params[name]))
        text = kind[1] if kind else ""
        return text if name not in self._given or self._recorded(name) == text else ""

    def _recorded(self, name: str) -> str:
        ref = self._types.get(name)
        line, text = _KNOWN_TYPES.get(_PANDAS.get(ref.type, ref.type), ("", "")) if ref else ("", "")
        if line and text.split(".")[0] not in self._taken:
            self._lines.setdefault(line)
        return text


def pipeline_file(plan: Plan, version: int) -> str:
    """`pipeline.py`: which step, with which policy, in which order."""
    tasks = "".join(f"        {_task(step)},\n" for step in plan.steps)
    nested = "".join(f"        steps.{name}: {_policy(policy.changed())},\n" for name, policy in plan.nested.items())
    policies = bool(nested) or any(step.policy.changed() for step in plan.steps)
    names = "Pipeline, Policy, Task" if policies else "Pipeline, Task"
    text = f'''"""How the steps of {plan.name} are joined: by the names of what they take and give."""

from p2p import {names}

from . import contracts, steps
from .params import Params

pipeline = Pipeline(
    name={json.dumps(plan.name)},
    version={version},
    params=Params,
    tasks=[
{tasks}    ],
    contracts=contracts.CONTRACTS,
'''
    text += f"    nested={{\n{nested}    }},\n)\n" if nested else ")\n"
    return formatted(text, "pipeline.py")


def _task(step: PlannedStep) -> str:
    inputs = step.inputs
    shown = json.dumps(dict(inputs)) if isinstance(inputs, Mapping) else json.dumps(list(inputs))
    parts = [f"steps.{step.function}"]
    if inputs:
        parts.append(f"inputs={shown}")
    if step.outputs:
        parts.append(f"outputs={json.dumps(list(step.outputs))}")
    if step.over:
        parts.append(f"over={json.dumps(step.over)}")
    if step.changes:
        parts.append(f"changes={json.dumps(list(step.changes))}")
    if step.policy.changed():
        parts.append(f"policy={_policy(step.policy.changed())}")
    if step.name != step.function:
        parts.append(f"name={json.dumps(step.name)}")
    return f"Task({', '.join(parts)})"


def _policy(changed: Mapping[str, object]) -> str:
    return f"Policy({', '.join(f'{name}={_option(value)}' for name, value in changed.items())})"


def _option(value: object) -> str:
    return f"steps.{value.name}" if isinstance(value, Named) else repr(value)


def formatted(source: str, name: str) -> str:
    """The source as ruff formats it, its imports sorted and those that nothing uses taken out."""
    imports = 'lint.isort.known-first-party=["p2p", "pipelines"]'
    fixed = _ruff(["check", "--select", "I,F401,E703", "--fix-only", "--quiet", "--config", imports], source, name)
    return _ruff(["format", "--quiet"], fixed, name)


@cache
def _ruff_itself() -> str:
    """Ruff's own program: `python -m ruff` starts a Python first."""
    from ruff import find_ruff_bin

    return str(find_ruff_bin())


def _ruff(arguments: Sequence[str], source: str, name: str) -> str:
    done = subprocess.run(
        [_ruff_itself(), *arguments, "--isolated", "--line-length", "120", "--target-version", "py311",
         "--stdin-filename", name, "-"],
        input=source, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"ruff could not format the generated {name}: {done.stderr.strip()[:500]}")
    return done.stdout
