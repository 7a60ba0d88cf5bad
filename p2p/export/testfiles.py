"""The generated tests of a version, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from p2p.export.emit import formatted
from p2p.export.plan import Plan, PlannedStep


def conftest_file(plan: Plan, version: int) -> str:
    """`tests/conftest.py`."""
    module = f"pipelines.{plan.name}.v{version}.pipeline"
    kept = "testing.preferences_kept()"
    if plan.maps_inside:
        kept += f', testing.nested_steps(import_module("{module}").pipeline)'
    return formatted(
        f'''"""The tests run where the version was verified; plain MLflow logs to a store of their own."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from p2p import testing

VERSION = Path(__file__).parent.parent

with testing.as_verified(VERSION):  # where the files lie that it may read when it is loaded
    import_module("{module}")


@pytest.fixture(autouse=True, scope="module")
def as_verified() -> Iterator[None]:
    with testing.isolated(), testing.as_verified(VERSION):
        yield


@pytest.fixture(autouse=True)
def as_found() -> Iterator[None]:
    """What a step sets for the whole process, such as a style of plots, does not reach the next test."""
    with {kept}:
        yield
''',
        "conftest.py",
    )


def test_file(
    plan: Plan, version: int, without_case: Mapping[str, str], bad: Sequence[tuple[str, str]], frames: Mapping[str, str]
) -> str:
    """`tests/test_pipeline.py`.

    Args:
        plan: the plan.
        version: its version.
        without_case: steps that have no recorded example, with the reason.
        bad: (what, JSON of the parameters) that must be refused.
        frames: by value name that has a frame contract: the name of its first column.
    """
    package = f"pipelines.{plan.name}.v{version}"
    cases = [step for step in plan.steps if step.name not in without_case]
    used = ["differences", *(["assert_gives", "recorded"] if cases or frames else [])]
    used += ["mapped"] if any(step.over for step in cases) else []
    parts = [_head(plan, package, used, bool(frames)), _whole()]
    parts += [_alone(step) for step in cases]
    parts += [_missing_column(name, step, column) for name, (step, column) in frames_of(cases, frames).items()]
    parts += [_bad_parameters(bad)]
    left = "\n".join(f"# {name} has no test alone: {why}." for name, why in without_case.items())
    return formatted("\n\n".join([*parts, left]) + "\n", "test_pipeline.py")


def frames_of(cases: Sequence[PlannedStep], frames: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """By name of a frame: a step whose example holds it, and a column that its contract names."""
    found: dict[str, tuple[str, str]] = {}
    for step in cases:
        for name in step.takes:
            if name in frames:
                found.setdefault(name, (step.name, frames[name]))
    return found


def _head(plan: Plan, package: str, names: Sequence[str], frames: bool) -> str:
    contract = "from p2p.contracts import broken_rules\n" if frames else ""
    return f'''"""Holds this version of {plan.name} against what its notebook gave. Written by `p2p export`."""

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

{contract}from p2p.testing import {", ".join(sorted(names))}
from {package} import contracts, steps
from {package}.params import Params
from {package}.pipeline import pipeline

VERSION = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
'''


def _whole() -> str:
    return '''
def test_reproduces_the_notebook() -> None:
    """Every value of every step has the digest that the notebook's run recorded."""
    assert differences(pipeline, VERSION) == []
'''


def _alone(step: PlannedStep) -> str:
    call = f"steps.{step.function}({_arguments(step)})"
    call = f"mapped(steps.{step.function}, {_arguments(step)})" if step.over else call
    call = f"asyncio.run({call})" if step.is_async else call
    names = ", ".join(json.dumps(name) for name in step.outputs)
    return f'''
def test_{step.name}_alone() -> None:
    """`{step.name}` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "{step.name}")
    assert_gives({call}, case, ({names},))
'''


def _arguments(step: PlannedStep) -> str:
    """The step's inputs as arguments; that which it is mapped over comes first, and without its name."""
    named = step.inputs.items() if isinstance(step.inputs, Mapping) else [("", name) for name in step.inputs]
    return ", ".join(
        f"{argument}={value}" if argument and name != step.over else value
        for argument, name in named
        for value in [f"case.inputs[{json.dumps(name)}]"]
    )


def _missing_column(name: str, step: str, column: str) -> str:
    return f'''
def test_contract_of_{name}_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "{step}").inputs["{name}"]
    assert broken_rules(frame, contracts.CONTRACTS["{name}"]) == []
    problems = broken_rules(frame.drop(columns=[{json.dumps(column)}]), contracts.CONTRACTS["{name}"])
    assert problems == [{json.dumps(f"column '{column}' is missing")}]
'''


def _bad_parameters(bad: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"        pytest.param({source}, id={json.dumps(what)}),\n" for what, source in bad)
    return f'''
@pytest.mark.parametrize(
    "bad",
    [
{rows}    ],
)
def test_refuses_bad_parameters(bad: dict[str, object]) -> None:
    """A misspelt name, a wrong type and a value out of bounds never get as far as a step."""
    with pytest.raises(ValidationError):
        Params.model_validate(bad)
'''
