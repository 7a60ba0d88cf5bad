"""Runs an exported version step by step without p2p's own runner: `python replay.py ROOT NAME`.

Prints, by step, the digests of its values. Each step gets copies of what the steps before it gave, as it would on a
worker: those share objects and memory with each other only.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import redirect_stdout
from typing import Any

from benchmarks.convert.digests import Digests, digest
from p2p.cache.views import copies
from p2p.execution.figures import close_all
from p2p.pipeline import Pipeline


def replay(pipeline: Pipeline) -> dict[str, Digests]:
    """The digests of what each step gives, with the parameters as they stand."""
    parameters = pipeline.params()
    values: dict[str, Any] = {name: getattr(parameters, name) for name in pipeline.params.model_fields}
    told: dict[str, Digests] = {}
    for task in pipeline.tasks:
        taken = copies({name: values[name] for name in task.takes})
        positional, named = task.arguments(taken)
        result = task.function(*positional, **named)
        close_all()
        given = {name: taken[name] for name in task.changes}
        given |= zip(task.outputs, [result] if len(task.outputs) == 1 else result or (), strict=True)
        values.update(given)
        told[task.step] = {name: digest(value) for name, value in given.items()}
    return told


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    with redirect_stdout(sys.stderr):
        answer = replay(importlib.import_module(f"pipelines.{sys.argv[2]}.v1.pipeline").pipeline)
    print(json.dumps(answer))
