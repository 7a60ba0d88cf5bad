"""Export, told in one place: plan, write beside, run, compare, test, and only then give it its number."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.errors import RunFailed
from p2p.export.manifests import file_digests, neighbour_facts, write_manifest
from p2p.export.naming import pipeline_name
from p2p.export.options import ExportOptions
from p2p.export.plan import Plan
from p2p.export.proving import planned, proven
from p2p.export.staging import publish, staged
from p2p.export.verify import Comparison, verified_values
from p2p.export.work import Work
from p2p.manifest import Manifest, read_manifest, versions
from p2p.model import RunStatus
from p2p.notebook import Notebook, parameters_of, read_notebook, run_notebook
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.tracking import RunRecord, find_run, past_runs


@dataclass(frozen=True)
class Export:
    """What an export came to.

    Attributes:
        written: whether there is a new version; False when the newest one is of the same notebook.
        directory: the version's directory.
        compared: each value beside the notebook's.
        tests: how the generated tests went: `passed`, `summary`.
    """

    manifest: Manifest
    directory: Path
    written: bool
    compared: tuple[Comparison, ...] = ()
    tests: dict[str, Any] = field(default_factory=dict)


def export_notebook(path: Path, settings: Settings, options: ExportOptions | None = None) -> Export:
    """Write the notebook at `path` as the next version of a pipeline, verified.

    Raises:
        InputRefused: the notebook cannot be exported; nothing was run or written.
        RunFailed: the notebook itself does not run.
        EvidenceRefused: the module's values are not the notebook's, or its tests fail; there is no version.
    """
    options = options or ExportOptions()
    options.tell(f"reading {path.name}")
    notebook = read_notebook(path)
    name = pipeline_name(options.name or notebook.name, settings.pipelines)
    parameters = parameters_of(notebook)
    parameters.model_source()  # refuses a secret in a default before anything runs
    plan = planned(notebook, name, parameters)
    unchanged = _unchanged(notebook, plan, settings)
    if unchanged is not None:
        return unchanged
    recorded = _recorded_run(notebook, plan, settings, options)
    version = (versions(settings.pipelines / name) or [0])[-1] + 1
    with staged(settings, name, version) as stage:
        proof = proven(Work(notebook, plan, parameters, recorded, version, settings, stage, options.tolerance), options)
        work = proof.work
        options.tell("writing and running its tests")
        without = work.write_tests(proof.verified, beside=proof.beside)
        manifest = write_manifest(proof, without)
        tests = work.run_tests()
        manifest = write_manifest(proof, without, tests)
        options.tell(f"proven; giving it the number {version}")
        directory = publish(work.directory, settings.pipelines, name, version)
    return Export(manifest, directory, True, tuple(proof.compared), tests)


def _unchanged(notebook: Notebook, plan: Plan, settings: Settings) -> Export | None:
    """The newest version, when it was made from this very notebook and its modules, and nobody has touched it."""
    known = versions(settings.pipelines / plan.name)
    if not known:
        return None
    directory = settings.pipelines / plan.name / f"v{known[-1]}"
    manifest = read_manifest(directory)
    made_of = (notebook.digest, neighbour_facts(plan, settings.root))
    same = made_of == (manifest.notebook_digest, manifest.modules) and manifest.files == file_digests(directory)
    return Export(manifest, directory, False, verified_values(manifest), manifest.tests) if same else None


def _recorded_run(notebook: Notebook, plan: Plan, settings: Settings, options: ExportOptions) -> RunRecord:
    """The newest finished run of this very notebook with its modules as they are; made now when there is none."""
    changed = max((file.stat().st_mtime_ns for file in plan.neighbours.files.values()), default=0)
    for record in past_runs(settings.runs, run_kind="notebook", notebook_digest=notebook.digest):
        late = record.facts["at"] > changed
        if late and record.status is RunStatus.FINISHED and _values_kept(record, DiskStore(settings.values)):
            options.tell(f"the notebook's run {record.run_id} is the reference")
            return record
    options.tell("running the notebook, which has no finished run as it stands")
    outcome = run_notebook(notebook.path, settings, watch=options.watch)
    if outcome.status is not RunStatus.FINISHED:
        raise RunFailed(
            f"'{notebook.path}' does not run, so there is nothing to hold a module against: {outcome.error}",
            cure=f"Mend cell {outcome.failed_cell} first.",
        )
    return find_run(settings.runs, outcome.key)


def _values_kept(record: RunRecord, store: DiskStore) -> bool:
    return all(store.has(ref) for s in record.steps for ref in s.outputs.values() if ref.digest)
