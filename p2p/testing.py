"""What generated tests stand on: recorded values, and how to hold a pipeline or a step against them.

Needs no run state: `tests/data/` beside the tests has everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from p2p.cache import generators
from p2p.execution import Services
from p2p.manifest import read_manifest
from p2p.model import MISS, ValueRef
from p2p.params import ParameterSet
from p2p.pipeline import Pipeline
from p2p.runners.local import no_windows, run_tasks
from p2p.step.decorator import name_outputs
from p2p.store import difference, encode, load_file
from p2p.tracking.isolation import isolated


@dataclass(frozen=True)
class Case:
    """A recorded example of one step: what goes in, and what came out in the notebook."""

    step: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


def recorded(directory: Path) -> Case:
    """The example in `directory`, loaded and its digests checked.

    The global random generators then stand where they stood when the example was made.
    """
    index = json.loads((directory / "case.json").read_text(encoding="utf-8"))
    inputs = {n: load_file(directory, f"in_{n}", ValueRef.from_dict(r)) for n, r in index["inputs"].items()}
    outputs = {n: load_file(directory, f"out_{n}", ValueRef.from_dict(r)) for n, r in index["outputs"].items()}
    generators.seed()
    return Case(index["step"], inputs, outputs)


@contextmanager
def as_verified(version: Path) -> Iterator[None]:
    """In the block, the working directory is as it was when the version in the directory `version` was verified.

    That is an empty one, or the notebook's, where the files lie that it reads.
    """
    if read_manifest(version).beside:
        with beside_the_notebook(version):
            yield
        return
    with TemporaryDirectory() as empty, chdir(empty):
        yield


@contextmanager
def beside_the_notebook(version: Path) -> Iterator[None]:
    """In the block, the working directory is the notebook's, where it ran and where the files lie that it reads.

    `version` is the version's directory. Where the project has no such notebook any more, nothing changes.
    """
    notebook = read_manifest(version).notebook
    found = next((p / notebook for p in version.resolve().parents if notebook and (p / notebook).is_file()), None)
    with chdir(found.parent) if found is not None else nullcontext():
        yield


def assert_gives(result: Any, case: Case, names: tuple[str, ...]) -> None:
    """Fail unless the result of a step equals what the notebook's cell gave on the same inputs."""
    given = name_outputs(result, names)
    for name, expected in case.outputs.items():
        found = difference(expected, _storable(given.get(name)))
        assert found is None, f"step '{case.step}', value '{name}': {found}"


def _storable(value: Any) -> Any:
    """A value as it comes back from a file, so that it can be compared with one that does."""
    from p2p.store import decode

    ref, data = encode(value)
    return value if ref.codec is None else decode(ref.codec, data)


def differences(pipeline: Pipeline, directory: Path) -> list[str]:
    """Run the whole pipeline on the recorded parameters; one line for each value that is not the notebook's.

    `directory` is the version's, where its manifest lies.
    """
    manifest = read_manifest(directory)
    events = _Digests()
    params = ParameterSet.of(pipeline.params).parse(manifest.params).typed
    with no_windows():
        run_tasks(pipeline, params, Services(events=events, values=_Hashing()))
    found = []
    for step, outputs in manifest.digests.items():
        for name, digest in outputs.items():
            now = events.digests.get(step, {}).get(name)
            if digest is not None and now != digest:
                found.append(f"step '{step}', value '{name}': digest {str(now)[:12]} against {digest[:12]}")
    return found


class _Hashing:
    """A value store that keeps nothing but digests."""

    def put(self, value: Any) -> ValueRef:
        return encode(value)[0]

    def get(self, ref: ValueRef) -> Any:
        raise LookupError("this store keeps only digests")

    def find(self, ref: ValueRef) -> Any:
        return MISS

    def has(self, ref: ValueRef) -> bool:
        return False

    def bytes_of(self, ref: ValueRef) -> bytes:
        raise LookupError("this store keeps only digests")


class _Digests:
    """Collects the digests of a run's outputs from its events."""

    def __init__(self) -> None:
        self.digests: dict[str, dict[str, str | None]] = {}

    def append(self, kind: str, **data: Any) -> None:
        if kind == "step_finished":
            self.digests[data["step"]] = {name: ref["digest"] for name, ref in data["outputs"].items()}


__all__ = ["Case", "as_verified", "assert_gives", "beside_the_notebook", "differences", "isolated", "recorded"]
