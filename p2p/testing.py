"""What generated tests stand on: recorded values, and how to hold a pipeline or a step against them.

Needs no run state: `tests/data/` beside the tests has everything.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from p2p.errors import StoreError
from p2p.execution import Services, generators
from p2p.execution.figures import close_all
from p2p.execution.preferences import preferences_kept
from p2p.manifest import NAME, Manifest, read_manifest
from p2p.model import MISS, ValueRef
from p2p.params import ParameterSet
from p2p.pipeline import Pipeline
from p2p.runners.local import Isolated, nested_steps, run_tasks
from p2p.runners.surroundings import no_windows
from p2p.steps import step as as_step
from p2p.steps.decorator import name_outputs
from p2p.store import by_former, decode, difference, encode, load_file, load_folder
from p2p.tracking.facts import processor
from p2p.tracking.isolation import isolated

_ELSEWHERE = 1e-6  # the part by which numbers may differ on another processor than the one of the export


@dataclass(frozen=True)
class Case:
    """A recorded example of one step: what goes in, and what came out in the notebook.

    Attributes:
        terms: how far what a step gives may be from it.
    """

    step: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    terms: Terms = field(default_factory=lambda: Terms(0.0, elsewhere=False))


@dataclass(frozen=True)
class Terms:
    """How near a value must be to the recorded one.

    Attributes:
        tolerance: the part of a floating-point number by which it may differ.
        elsewhere: whether this is another processor than the export's, where libraries add up in another order: numbers
            may differ by a millionth, and the pixels of pictures are not compared.
    """

    tolerance: float
    elsewhere: bool

    @classmethod
    def of(cls, version: Path) -> Terms:
        """Those of the version in the directory `version`; exact where it has no manifest."""
        if not (version / NAME).is_file():
            return cls(0.0, elsewhere=False)
        manifest = read_manifest(version)
        elsewhere = manifest.environment.get("processor") != processor()
        return cls(max(manifest.tolerance, _ELSEWHERE if elsewhere else 0.0), elsewhere=elsewhere)

    def difference(self, expected: Any, found: Any) -> str | None:
        """The first place where the two are not as near as they must be; None where they are."""
        if self.elsewhere and _is_picture(expected) and _is_picture(found):
            return None
        return difference(expected, found, tolerance=self.tolerance)


def _is_picture(value: Any) -> bool:
    return isinstance(value, bytes) and value.startswith(b"\x89PNG")


def recorded(directory: Path) -> Case:
    """The example in `directory`, loaded and its digests checked.

    The global random generators then stand where they stood when the example was made, and no figure is open.
    """
    index = json.loads((directory / "case.json").read_text(encoding="utf-8"))
    inputs = {n: load_file(directory, f"in_{n}", ValueRef.from_dict(r)) for n, r in index["inputs"].items()}
    outputs = {n: load_file(directory, f"out_{n}", ValueRef.from_dict(r)) for n, r in index["outputs"].items()}
    generators.seed()
    close_all()
    return Case(index["step"], inputs, outputs, Terms.of(directory.parent.parent.parent))


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
    """Fail unless the result of a step is what the notebook's cell gave on the same inputs, within the case's terms."""
    given = name_outputs(result, names)
    for name, expected in case.outputs.items():
        found = case.terms.difference(expected, _storable(given.get(name)))
        assert found is None, f"step '{case.step}', value '{name}': {found}"


def mapped(function: Callable[..., Any], partitions: Iterable[Any], /, **constants: Any) -> list[Any]:
    """What a step's function gives when it is mapped, as in the pipeline: with one of `partitions` each time."""
    return as_step(function).map(partitions, **constants)


def _storable(value: Any) -> Any:
    """A value as it comes back from a file, so that it can be compared with one that does."""
    ref, data = encode(value)
    return value if ref.codec is None else decode(ref.codec, data)


def differences(pipeline: Pipeline, directory: Path) -> list[str]:
    """Run the whole pipeline as it was proven; one line for each value that is not the notebook's.

    That is one with another digest which is not equal within the version's tolerance either, as far as it was kept
    beside the tests. On another processor than the export's, values that were not kept cannot be told from wrong ones:
    they are named in a warning.

    Args:
        pipeline: the version's.
        directory: the version's, where its manifest lies.
    """
    manifest, terms = read_manifest(directory), Terms.of(directory)
    kept = load_folder(directory / "tests" / "data" / "whole")
    events, values = _Digests(), _Hashing({digest for *_, digest in _expected(manifest)})
    params = ParameterSet.of(pipeline.params).parse(manifest.params).typed
    close_all()
    with no_windows(), TemporaryDirectory() as figures:
        run_tasks(pipeline, params, Services(events=events, values=values, directory=Path(figures)), Isolated())
    found: list[str] = []
    unknown: list[str] = []
    for step, name, digest in _expected(manifest):
        now = events.digests.get(step, {}).get(name)
        where, key = f"step '{step}', value '{name}'", f"{step}.{name}"
        if now == digest:
            continue
        if now in values.others and key in kept:
            apart = terms.difference(kept[key], values.others[now])
            found += [f"{where}: {apart}"] if apart else []
        elif terms.elsewhere and now is not None:
            unknown.append(where)
        else:
            found.append(f"{where}: digest {str(now)[:12]} against {digest[:12]}")
    if unknown:
        told = "not compared, as this is another processor than the export's: "
        warnings.warn(told + "; ".join(unknown), stacklevel=2)
    return found


def _expected(manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    """Step, name and digest of each value that can be expected to have its digest again."""
    for step, outputs in manifest.digests.items():
        for name, digest in outputs.items():
            if digest is not None:
                yield step, name, digest


class _Hashing:
    """A value store that keeps nothing but digests, and the values that have none of those that are expected.

    Attributes:
        others: those values, by digest.
    """

    def __init__(self, expected: Collection[str]) -> None:
        self.others: dict[str | None, Any] = {}
        self._expected = expected

    def put(self, value: Any) -> ValueRef:
        ref, data = encode(value)
        former = next((known for known in by_former(value) if known.digest in self._expected), None)
        if former is not None:
            return former
        if ref.codec is not None and ref.digest not in self._expected:
            with suppress(StoreError):  # what is stored need not load
                self.others[ref.digest] = decode(ref.codec, data)
        return ref

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


__all__ = [
    "Case",
    "Terms",
    "as_verified",
    "assert_gives",
    "beside_the_notebook",
    "differences",
    "isolated",
    "mapped",
    "nested_steps",
    "preferences_kept",
    "recorded",
]
