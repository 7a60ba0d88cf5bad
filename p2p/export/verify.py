"""Proof: the module runs in a fresh process, and each of its values is held against the notebook's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2p.errors import EvidenceRefused, RunFailed
from p2p.export.comparing import apart
from p2p.export.plan import Plan
from p2p.manifest import Manifest
from p2p.model import Finding, StepRecord, ValueRef
from p2p.settings import Settings
from p2p.store import ValueStore, plain_name
from p2p.tracking import RunRecord, find_run


@dataclass(frozen=True)
class Comparison:
    """One value of the module's run beside the notebook's.

    Attributes:
        verdict: `equal`; `close`, where floating-point numbers differ within the tolerance; `structure`, where the
            value cannot be stored and only its type and shape are the same; `not recorded`, where the notebook has no
            such value; `unequal`.
        detail: for `unequal` and `close`, the first difference; for `structure`, why it cannot be stored.
    """

    step: str
    value: str
    verdict: str
    digest: str | None = None
    type: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Under what conditions a module runs.

    Attributes:
        directory: its working directory.
        purpose: why, as the run's tag `p2p.purpose`.
        seed: what the global random generators and the order of sets start from; None for what a new process has.
        isolated: whether each step gets copies of what it takes.
    """

    directory: Path
    purpose: str = "verification"
    seed: Seed | None = None
    isolated: bool = True


@dataclass(frozen=True)
class Seed:
    """What the global random generators start from, and `PYTHONHASHSEED`, which the order of sets follows."""

    generators: int
    hashes: int


def run_module(
    plan: Plan, version: int, stage: Path, settings: Settings, params: Mapping[str, Any], digest: str,
    conditions: Conditions,
) -> tuple[RunRecord, list[str]]:  # fmt: skip
    """Run the staged version in a fresh process, as a tracked run; raises EvidenceRefused when it fails.

    Gives its record, and the files in its working directory that it has read and not written itself.
    """
    seed = conditions.seed
    request = {
        "path": [str(stage)], "root": str(settings.root), "tracking_uri": settings.tracking_uri,
        "experiment": settings.experiment, "params": params, "notebook_digest": digest,
        "tags": {"p2p.purpose": conditions.purpose}, "seed": None if seed is None else seed.generators,
        "engine": "isolated" if conditions.isolated else "local",
    }  # fmt: skip
    module = f"pipelines.{plan.name}.v{version}.pipeline"
    # Whatever is set here, the notebook's kernel had it too: a Dask cluster sets it in the process that starts it.
    hashes = "random" if seed is None else str(seed.hashes)
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hashes,
        "PYTHONPATH": os.pathsep.join([str(stage), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "p2p.runners.child", module],
        input=json.dumps(request), capture_output=True, text=True, cwd=conditions.directory, env=environment,
        check=False,
    )  # fmt: skip
    if not done.stdout:
        raise RunFailed(f"The exported module could not be run: {_last_line(done.stderr)}", fields={"log": done.stderr})
    answer = json.loads(done.stdout)
    if done.returncode != 0:
        finding = Finding(
            where=f"step '{answer['failed_step']}'", what=f"fails in the module: {answer['error']}.",
            why="It succeeded in the notebook, so it depends on something that the export did not see.",
            cure="Read what it needs through its inputs.",
        )  # fmt: skip
        raise EvidenceRefused(
            f"'{plan.name}' was not exported: its module does not run.", [finding], step=answer["failed_step"]
        )
    return find_run(settings.runs, answer["key"]), answer["read"]


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it ended without a word"


Pairs = Sequence[tuple[ValueRef, ValueRef]]
Differ = Callable[[Pairs], Sequence[tuple[str, str]]]


def compare_runs(recorded: Sequence[StepRecord], module: Sequence[StepRecord], differ: Differ) -> list[Comparison]:
    """Each output of each step of the module's run, held against the notebook's.

    Args:
        recorded: the steps of the notebook's run.
        module: those of the module's.
        differ: tells for each pair of values with two digests where they differ, and where they differ beyond the
            tolerance; nothing where they do not.
    """
    before = {s.name: s for s in recorded}
    outputs = [
        (step.name, name, _given(before.get(step.name), name), ref)
        for step in module if not step.parent for name, ref in step.outputs.items()
    ]  # fmt: skip
    unlike = [(known, ref) for _s, _n, known, ref in outputs
              if known is not None and known.digest and ref.digest and known.digest != ref.digest]  # fmt: skip
    details = dict(zip([(k.digest, r.digest) for k, r in unlike], differ(unlike) if unlike else [], strict=True))
    return [_compare(step, name, known, ref, details) for step, name, known, ref in outputs]


def _given(step: StepRecord | None, name: str) -> ValueRef | None:
    """What a recorded step gave under a name, or made of its input of that name."""
    return None if step is None else step.outputs.get(name) or step.changed.get(name)


def loaded_here(values: ValueStore, tolerance: float = 0.0) -> Differ:
    """Tells differences by loading the values in this process, which must know their classes."""
    return lambda pairs: [apart(values.get(one), values.get(other), tolerance) for one, other in pairs]


def _compare(
    step: str, name: str, recorded: ValueRef | None, ref: ValueRef, details: Mapping[tuple[Any, Any], tuple[str, str]]
) -> Comparison:
    if recorded is None:
        return Comparison(step, name, "not recorded", ref.digest, ref.type)
    if recorded.digest is None or ref.digest is None:
        other = _other_structure(recorded, ref)
        verdict, detail = ("unequal", other) if other else ("structure", recorded.reason or ref.reason)
        return Comparison(step, name, verdict, None, ref.type, detail)
    exact, beyond = ("", "") if recorded.digest == ref.digest else details[recorded.digest, ref.digest]
    verdict = "unequal" if beyond else "close" if exact else "equal"
    return Comparison(step, name, verdict, ref.digest, ref.type, beyond or exact)


def _other_structure(one: ValueRef, other: ValueRef) -> str:
    """How the types or shapes of two values differ, of which one cannot be stored; nothing where they do not."""
    if plain_name(one.type) != plain_name(other.type):
        return f"type {one.type} against {other.type}"
    return f"shape {one.shape} against {other.shape}" if one.shape != other.shape else ""


def refuse_unequal(plan: Plan, compared: Sequence[Comparison], missing: Sequence[str]) -> None:
    """Raise EvidenceRefused with a finding for each value that is not equal, and each step that did not run."""
    findings = [
        Finding(
            where=f"step '{c.step}', value '{c.value}'", what=f"differs from the notebook's: {c.detail}.",
            why="The module would not give the notebook's results.",
            cure="Likely causes: an unseeded random generator, the clock, the order of a set, a changed file or the "
            "network; or a cell in between that changes the value.",
        )
        for c in compared if c.verdict == "unequal"
    ]  # fmt: skip
    findings += [
        Finding(f"step '{name}'", "ran in the notebook and not in the module.", "Its results would be missing.",
                "Mark it at the top of its cell.")
        for name in missing
    ]  # fmt: skip
    if findings:
        first = findings[0]
        first_unequal = next((c for c in compared if c.verdict == "unequal"), None)
        raise EvidenceRefused(
            f"'{plan.name}' was not exported: {len(findings)} values differ, the first at {first.where}: {first.what}",
            findings,
            step=first_unequal.step if first_unequal else "", value=first_unequal.value if first_unequal else "",
            digest=first_unequal.digest if first_unequal else None,
        )  # fmt: skip


def verified_values(manifest: Manifest) -> tuple[Comparison, ...]:
    """What was compared when a version was written, as its manifest records it."""
    return tuple(
        Comparison(step["name"], name, fact["verified"], fact["digest"], fact["type"], fact["detail"])
        for step in manifest.steps
        for name, fact in step["outputs"].items()
    )
