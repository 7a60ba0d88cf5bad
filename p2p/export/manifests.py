"""The manifest of a version that was proven."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blake3 import blake3

from p2p.export import contracting
from p2p.export.plan import Plan
from p2p.export.proving import Proof
from p2p.export.units import unit_marks
from p2p.export.verify import Comparison
from p2p.export.work import Work
from p2p.files import write_atomic
from p2p.manifest import NAME, Manifest, compare_interfaces, read_manifest
from p2p.pipeline import final_values
from p2p.tracking import facts


def write_manifest(proof: Proof, without: Mapping[str, str], tests: Mapping[str, Any] | None = None) -> Manifest:
    """Write `manifest.json` and `requirements.lock`.

    Args:
        proof: the proof of the version; its module and tests are written.
        without: the steps that have no test alone, with reasons.
        tests: how the tests went; nothing before they have run.
    """
    work, plan = proof.work, proof.work.plan
    text, packages, notes = work.lock
    write_atomic(work.directory / "requirements.lock", text)
    change, changes = _change(work)
    manifest = Manifest(
        pipeline=plan.name, version=work.version,
        notebook=facts.relative(work.notebook.path, work.settings.root), notebook_digest=work.notebook.digest,
        git_commit=facts.git_commit(work.settings.root), recorded_run=work.recorded.run_id,
        verified_run=proof.verified.run_id, params=work.params(), change=change, changes=changes,
        interface=_interface(work), steps=_step_facts(plan, proof.compared), files=file_digests(work.directory),
        tests=dict(tests or {}),
        environment={"python": facts.python_version(), "packages": packages, "processor": facts.processor()},
        notes=[*notes, *(f"{name} has no test alone: {why}" for name, why in without.items()), *_left_out(plan),
               *_beside(proof)],
        units=unit_marks((work.directory / "steps.py").read_text(encoding="utf-8"), plan),
        kept=[{"cell": part.cell, "what": part.what} for part in plan.kept],
        modules=neighbour_facts(plan, work.settings.root),
        tolerance=work.tolerance, beside=proof.beside, reads=list(proof.reads) if proof.beside else [],
        p2p=facts.package_versions().get("p2p-toolkit", ""),
    )  # fmt: skip
    write_atomic(work.directory / NAME, manifest.text())
    return manifest


def _left_out(plan: Plan) -> list[str]:
    found = {"left out, as no step needs them": plan.left_out, "kept for what they do": plan.kept}
    cells = {why: sorted({part.cell for part in parts}) for why, parts in found.items()}
    return [f"{why}: parts of cells {', '.join(map(str, numbers))}" for why, numbers in cells.items() if numbers]


def _beside(proof: Proof) -> list[str]:
    if not proof.beside:
        return []
    files = f", such as {', '.join(proof.reads[:5])}" if proof.reads else ""
    return [f"it is equal only where the files of the notebook's directory are{files}: run it there"]


def _interface(work: Work) -> dict[str, Any]:
    contracts = contracting.as_mapping(work.contracts)
    final = final_values([((*s.takes, *s.changes), s.gives) for s in work.plan.steps])
    params = {
        p["name"]: {"type": str(p["type"]), "default": p["default"], "required": p["required"]}
        for p in work.parameters.describe()
    }
    return {"params": params, "outputs": {name: contracts.get(name, "") for name in final}}


def _change(work: Work) -> tuple[str, list[str]]:
    if work.version == 1:
        return "first", []
    before = read_manifest(work.settings.pipelines / work.plan.name / f"v{work.version - 1}")
    return compare_interfaces(before.interface, _interface(work))


def _step_facts(plan: Plan, compared: Sequence[Comparison]) -> list[dict[str, Any]]:
    return [
        {
            "name": step.name, "cell": step.cell, "cell_id": step.cell_id, "inputs": list(step.takes),
            "changes": list(step.changes),
            "outputs": {
                c.value: {"digest": c.digest, "type": c.type, "verified": c.verdict, "detail": c.detail}
                for c in compared if c.step == step.name
            },
        }
        for step in plan.steps
    ]  # fmt: skip


def neighbour_facts(plan: Plan, root: Path) -> dict[str, dict[str, str]]:
    """By path in the version's `modules`: the author's own file that was copied there, and its digest."""
    copied = {path: file for path, file in plan.neighbours.files.items() if file.is_file()}
    return {path: {"file": _seen_from(root, file), "digest": _digest(file)} for path, file in copied.items()}


def _seen_from(root: Path, file: Path) -> str:
    return Path(os.path.relpath(file, root)).as_posix()


def _digest(file: Path) -> str:
    return str(blake3(file.read_bytes()).hexdigest())


def file_digests(directory: Path) -> dict[str, str]:
    """Digest of each file of a version but its manifest, by relative path."""
    files = [p for p in sorted(directory.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    found = {p.relative_to(directory).as_posix(): _digest(p) for p in files}
    return {name: digest for name, digest in found.items() if name != NAME}
