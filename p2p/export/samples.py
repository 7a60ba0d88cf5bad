"""Recorded small examples for the generated tests: the notebook's own code of a step, run on small inputs.

The code is the notebook's and not the module's, so that the tests hold one against the other. Runs in a process of its
own (`python -m p2p.export.samples`), because it executes the notebook's code: reads one JSON request, answers with one.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.execution import generators
from p2p.execution.figures import close_all
from p2p.execution.preferences import preferences_kept
from p2p.export.neighbours import stand_in
from p2p.export.options import TOLERANCE
from p2p.files import write_atomic
from p2p.model import ValueRef
from p2p.runners.local import nested_steps
from p2p.runners.surroundings import no_windows
from p2p.store import DiskStore, decode, difference, encode, save_file
from p2p.tracking.isolation import isolated

_ROWS = (200, 2_000, 20_000, None)
_MOST_BYTES = 1_000_000


@no_windows()
def main() -> int:
    """Make the examples that stdin asks for; answers with the reason for each step that has none."""
    request = json.load(sys.stdin)
    answer_to = sys.stdout
    sys.stdout = sys.stderr
    sys.path[:0] = request["path"]
    module = importlib.import_module(request["module"])
    stand_in(request["copies"])
    store = DiskStore(Path(request["values"]))
    directory = Path(request["directory"])
    pipeline = importlib.import_module(request["pipeline"]).pipeline if request.get("pipeline") else None
    # The notebook's own code may log with plain MLflow, and map steps.
    with isolated(), nested_steps(pipeline) if pipeline else nullcontext():
        answer = {step["name"]: make_case(step, vars(module), store, directory) for step in request["steps"]}
    answer_to.write(json.dumps(answer))
    return 0


def make_case(step: Mapping[str, Any], names: Mapping[str, Any], store: DiskStore, directory: Path) -> str:
    """Write one step's example to `directory/<step>`; gives the reason when there can be none, else nothing."""
    refs = {name: ValueRef.from_dict(ref) for name, ref in step["inputs"].items()}
    unstored = [name for name, ref in refs.items() if ref.codec is None]
    if unstored:
        return f"its input '{unstored[0]}' cannot be stored"
    if not any(ref.shape for ref in refs.values()):
        return "it takes no data, so only the whole pipeline shows what it gives"
    reason = ""
    for rows in _ROWS:
        try:
            outputs = run_code(step, names, _small(refs, store, rows))
            stored = {name: encode(value) for name, value in outputs.items()}
            again = run_code(step, names, _small(refs, store, rows))
        except Exception as error:  # noqa: BLE001 - the notebook's code may raise anything on small data
            reason = f"its code does not run on small data: {type(error).__name__}: {str(error)[:200]}"
            continue
        for name, (ref, data) in stored.items():
            if _is_another(ref, data, again[name]):
                return f"it gives another '{name}' when it runs again in the same process"
        return save_case(step["name"], _small(refs, store, rows), outputs, directory / step["name"])
    return reason


def _small(refs: Mapping[str, ValueRef], store: DiskStore, rows: int | None) -> dict[str, Any]:
    return dict(zip(refs, shrink([store.get(ref) for ref in refs.values()], rows), strict=True))


def _is_another(ref: ValueRef, data: bytes, value: Any) -> bool:
    """Whether a value is not the stored one. One that cannot be stored, or loaded, no test compares."""
    other, its_data = encode(value)
    if ref.codec is None or other.codec is None or ref.digest == other.digest:
        return False
    with suppress(StoreError):
        return difference(decode(ref.codec, data), decode(other.codec, its_data), tolerance=TOLERANCE) is not None
    return False


def shrink(values: Sequence[Any], rows: int | None) -> list[Any]:
    """The values with at most `rows` rows, evenly spaced; values of the same length keep the same rows."""
    return [_shrunk(value, rows) for value in values]


def _shrunk(value: Any, rows: int | None) -> Any:
    length = len(value) if hasattr(value, "shape") and hasattr(value, "ndim") and value.ndim else 0
    if rows is None or length <= rows:
        return value
    places = [i * length // rows for i in range(rows)]
    return value.iloc[places] if hasattr(value, "iloc") else value[places]


def run_code(step: Mapping[str, Any], names: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the notebook's code of a step gives for these inputs."""
    namespace = {**names, **inputs}
    generators.seed()  # as `p2p.testing.recorded` does, and this
    close_all()
    with preferences_kept():
        _execute(step, namespace)
    return {name: namespace[name] for name in step["outputs"] if name in namespace}


def _execute(step: Mapping[str, Any], namespace: dict[str, Any]) -> None:
    import ast
    import asyncio
    import inspect

    code = compile(step["code"], f"<{step['name']}>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)  # the notebook's own code, as its author wrote it
    if inspect.iscoroutine(result):
        asyncio.run(result)


def save_case(step: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], directory: Path) -> str:
    """Write an example as typed files with an index; nothing is left of one that is too large."""
    directory.mkdir(parents=True)
    in_refs = {name: save_file(value, directory, f"in_{name}") for name, value in inputs.items()}
    out_refs = {name: save_file(value, directory, f"out_{name}") for name, value in outputs.items()}
    out_refs = {name: ref for name, ref in out_refs.items() if ref.codec is not None}
    size = sum(ref.nbytes for ref in (*in_refs.values(), *out_refs.values()))
    if size > _MOST_BYTES or not out_refs:
        shutil.rmtree(directory)
        return f"its example would take {size:,} bytes" if out_refs else "none of its outputs can be stored"
    index = {
        "step": step,
        "inputs": {n: r.as_dict() for n, r in in_refs.items()},
        "outputs": {n: r.as_dict() for n, r in out_refs.items()},
    }
    write_atomic(directory / "case.json", json.dumps(index, indent=1) + "\n", sync=False)
    return ""


if __name__ == "__main__":
    sys.exit(main())
