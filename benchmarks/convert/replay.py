"""Runs an exported version step by step without p2p's own runner: `python replay.py ROOT NAME`.

Prints, by step, the digests of its values. Each step gets copies of what the steps before it gave, made through the
store's formats, as it would in production.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from benchmarks.convert.digests import Digests, digest
from p2p.pipeline import Pipeline
from p2p.store import decode, encode


def replay(pipeline: Pipeline) -> dict[str, Digests]:
    """The digests of what each step gives, with the parameters as they stand."""
    parameters = pipeline.params()
    values: dict[str, Any] = {name: getattr(parameters, name) for name in pipeline.params.model_fields}
    told: dict[str, Digests] = {}
    for task in pipeline.tasks:
        positional, named = task.arguments(_copies(values, task.takes))
        result = task.function(*positional, **named)
        given = dict(zip(task.outputs, [result] if len(task.outputs) == 1 else result or (), strict=True))
        values.update(given)
        told[task.step] = {name: digest(value) for name, value in given.items()}
    return told


def _copies(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _copied(values[name]) for name in names}


def _copied(value: Any) -> Any:
    ref, data = encode(value)
    return value if ref.codec in (None, "png") else decode(ref.codec, data)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    with redirect_stdout(sys.stderr):
        answer = replay(importlib.import_module(f"pipelines.{sys.argv[2]}.v1.pipeline").pipeline)
    print(json.dumps(answer))
