"""One export at work: each method writes or proves a part of the staged version."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from p2p.errors import EvidenceRefused, RunFailed
from p2p.export import contracting, emit, locking, testfiles
from p2p.export.badparams import bad_parameters
from p2p.export.moving import PACKAGE, moved
from p2p.export.plan import Plan
from p2p.export.verify import Comparison, Conditions, Pairs, compare_runs, refuse_unequal, run_module
from p2p.files import write_atomic
from p2p.model import Finding, ValueRef
from p2p.notebook import Notebook
from p2p.params import ParameterSet
from p2p.settings import Settings
from p2p.store import DiskStore, save_folder
from p2p.tracking import RunRecord

_SMALL = 100_000  # bytes of a value that is kept whole beside the tests


@dataclass(frozen=True)
class Work:
    """One export at work."""

    notebook: Notebook
    plan: Plan
    parameters: ParameterSet
    recorded: RunRecord
    version: int
    settings: Settings
    stage: Path
    tolerance: float

    @property
    def directory(self) -> Path:
        return self.stage / "pipelines" / self.plan.name / f"v{self.version}"

    @property
    def package(self) -> str:
        return f"pipelines.{self.plan.name}.v{self.version}"

    @property
    def store(self) -> DiskStore:
        return DiskStore(self.settings.values)

    @cached_property
    def contracts(self) -> dict[str, contracting.Contract]:
        """What the recorded values must look like; inferred once, because all of them are loaded for it."""
        return contracting.infer(self.recorded.steps, self.store)

    def write_module(self) -> None:
        refs = emit.one_type_each(item for s in self.recorded.steps for item in s.outputs.items())
        files = {
            "__init__.py": f'"""Version {self.version} of {self.plan.name}. It never changes; see manifest.json."""\n',
            "params.py": emit.params_file(self.parameters, self.plan),
            "steps.py": emit.steps_file(self.plan, refs, self.parameters),
            "pipeline.py": emit.pipeline_file(self.plan, self.version),
            "contracts.py": contracting.contracts_file(self.plan, self.contracts),
        }
        files |= dict(self.plan.neighbours.texts()) if self.plan.neighbours.files else {}
        for name, text in files.items():
            write_atomic(self.directory / name, text)

    def run(self, conditions: Conditions) -> tuple[RunRecord, list[str]]:
        return run_module(
            self.plan, self.version, self.stage, self.settings, self.params(), self.notebook.digest, conditions
        )

    def params(self) -> dict[str, Any]:
        """The recorded run's parameters; secrets are not recorded, so theirs are the defaults."""
        masked = {p["name"] for p in self.parameters.describe() if "Secret" in str(p["type"])}
        return {n: v for n, v in self.recorded.facts["params"].items() if n not in masked}

    def compare(self, verified: RunRecord) -> list[Comparison]:
        compared = compare_runs(self.recorded.steps, verified.steps, self._differences)
        ran = {s.name for s in verified.steps}
        missing = [s.name for s in self.recorded.steps if not s.parent and s.name not in ran]
        refuse_unequal(self.plan, compared, missing)
        return compared

    def _differences(self, pairs: Pairs) -> Sequence[tuple[str, str]]:
        request = {
            "path": [str(self.stage)], "values": str(self.settings.values),
            "copies": self.plan.neighbours.copies(self.package),
            "tolerance": self.tolerance, "pairs": [[one.as_dict(), other.as_dict()] for one, other in pairs],
        }  # fmt: skip
        done = _python(["-m", "p2p.export.comparing"], self.stage, self.notebook.path.parent, json.dumps(request))
        if done.returncode != 0:
            raise RunFailed(f"Values could not be compared: {done.stderr.strip().splitlines()[-1:]}")
        return [(exact, beyond) for exact, beyond in json.loads(done.stdout)]

    def write_tests(self, verified: RunRecord, *, beside: bool) -> dict[str, str]:
        """Write the tests and their data; gives the steps that have no example, with reasons.

        Args:
            verified: the module's run.
            beside: whether the notebook's own code runs in the notebook's directory, and not in an empty one.
        """
        tests = self.directory / "tests"
        refs = {f"{s.name}.{name}": ref for s in verified.steps if not s.parent for name, ref in s.outputs.items()}
        small = {key: ref for key, ref in refs.items() if ref.codec not in (None, "png") and ref.nbytes <= _SMALL}
        save_folder(small, self.store, tests / "data" / "whole", room=10 * _SMALL)
        with tempfile.TemporaryDirectory() as empty:
            place = self.notebook.path.resolve().parent if beside else Path(empty).resolve()
            without = self._make_cases(tests / "data", place)
        columns = self._first_columns()
        text = testfiles.test_file(self.plan, self.version, without, bad_parameters(self.parameters), columns)
        write_atomic(tests / "__init__.py", "")
        write_atomic(tests / "conftest.py", testfiles.conftest_file(self.plan, self.version))
        write_atomic(tests / "test_pipeline.py", text)
        return without

    def _make_cases(self, directory: Path, place: Path) -> dict[str, str]:
        inputs = {s.name: s.inputs for s in self.recorded.steps}
        steps = [
            {
                "name": step.name, "outputs": list(step.outputs), "code": self._notebook_code(index),
                "inputs": {n: self._input_ref(n, step.name, index).as_dict() for n in step.takes},
            }
            for index, step in enumerate(self.plan.steps) if step.name in inputs or step.implicit
        ]  # fmt: skip
        request = {
            "path": [str(self.stage)], "module": f"{self.package}.steps", "values": str(self.settings.values),
            "directory": str(directory), "steps": steps,
            "copies": self.plan.neighbours.copies(self.package),
            "pipeline": f"{self.package}.pipeline" if self.plan.maps_inside else "",
        }  # fmt: skip
        done = _python(["-m", "p2p.export.samples"], self.stage, place, json.dumps(request))
        if done.returncode != 0:
            raise RunFailed(f"The examples for the tests could not be made: {done.stderr.strip().splitlines()[-1:]}")
        return {name: why for name, why in json.loads(done.stdout).items() if why}

    def _input_ref(self, name: str, step: str, index: int) -> ValueRef:
        """What `name` stood for when the step ran: the last earlier step that gave it, else a parameter."""
        recorded = {s.name: s for s in self.recorded.steps}
        for earlier in reversed(self.plan.steps[:index]):
            known = recorded.get(earlier.name) if name in earlier.gives else None
            found = known.outputs.get(name) or known.changed.get(name) if known is not None else None
            if found is not None:
                return found
        if name in self.recorded.facts["params"]:
            values = self.parameters.parse(self.params())
            return self.store.put(values.typed[name])
        return ValueRef(type="", reason=f"'{name}' was not recorded for {step}")

    def _first_columns(self) -> dict[str, str]:
        """By name of a frame: the first column that its contract names."""
        return {name: contract.columns[0] for name, contract in self.contracts.items() if contract.columns}

    def run_tests(self) -> dict[str, Any]:
        """Run the generated tests; raises EvidenceRefused when one fails."""
        arguments = ["-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "--rootdir", str(self.stage),
                     "-c", os.devnull, "--import-mode=importlib", "--no-header", str(self.directory)]  # fmt: skip
        # Plugins of this environment are no part of the version.
        done = _python(arguments, self.stage, self.stage, "", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        summary = (done.stdout.strip().splitlines() or [""])[-1]
        passed = re.search(r"(\d+) passed", summary)
        if done.returncode != 0 or passed is None:
            finding = Finding(
                where="the generated tests", what=f"do not pass: {summary}", why="They would fail in your CI too.",
                cure=f"A step that is not reproducible is the likeliest cause.\n{done.stdout[-3000:]}",
            )  # fmt: skip
            raise EvidenceRefused(f"'{self.plan.name}' was not exported: its tests do not pass. {summary}", [finding])
        return {"passed": int(passed[1]), "summary": summary.split(" in ")[0]}

    @cached_property
    def lock(self) -> tuple[str, dict[str, str], list[str]]:
        """The text of requirements.lock, its packages and notes; made once, because it takes seconds."""
        names = ("steps.py", "params.py", "contracts.py")
        sources = [(self.directory / n).read_text(encoding="utf-8") for n in names]
        return locking.lock([*sources, *dict(self.plan.neighbours.texts()).values()], self.settings.root)

    def _notebook_code(self, index: int) -> str:
        """The notebook's own code of a step: its cell, or its function and the call of it."""
        step = self.plan.steps[index]
        decorated = f"import p2p\n{step.function} = p2p.step({step.function})" if step.over else ""
        code = "\n".join([*(s.source for s in step.local), step.source, decorated, step.call])
        return moved(code, self.plan.neighbours.names, f".{PACKAGE}")


def _python(
    arguments: Sequence[str], path: Path, directory: Path, text: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")])}
    environment |= variables
    return subprocess.run(
        [sys.executable, *arguments], input=text, capture_output=True, text=True, cwd=directory, env=environment,
        check=False,
    )  # fmt: skip
