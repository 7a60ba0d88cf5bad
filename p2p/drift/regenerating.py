"""What an export would write for a notebook now: compiled and put into words, and nothing run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from p2p.export import emit
from p2p.export.compile import compile_notebook
from p2p.export.plan import Plan
from p2p.export.units import Module, cut_module, made_of_cells
from p2p.manifest import Manifest
from p2p.model import ValueRef
from p2p.notebook import Notebook, parameters_of
from p2p.params import ParameterSet


@dataclass(frozen=True)
class Regenerated:
    """A notebook and the module that it would become.

    Attributes:
        module: its `steps.py`.
        version: the number that the version would have.
    """

    notebook: Notebook
    plan: Plan
    parameters: ParameterSet
    module: Module
    version: int

    def file(self, name: str) -> str:
        """The text of `steps.py`, `pipeline.py` or `params.py`, which follow from the notebook alone."""
        if name == "steps.py":
            return self.module.text
        if name == "pipeline.py":
            return emit.pipeline_file(self.plan, self.version)
        return emit.params_file(self.parameters, self.plan)


def regenerate(notebook: Notebook, manifest: Manifest) -> Regenerated:
    """The module of a notebook, named and numbered as in a manifest. Raises AnalysisError where there can be none."""
    parameters = parameters_of(notebook)
    plan = _plan(notebook, manifest, [p["name"] for p in parameters.describe()])
    values = [(name, ValueRef(type=facts["type"])) for s in manifest.steps for name, facts in s["outputs"].items()]
    module = cut_module(emit.steps_file(plan, emit.one_type_each(values), parameters), made_of_cells(plan))
    return Regenerated(notebook, plan, parameters, module, manifest.version)


def _plan(notebook: Notebook, manifest: Manifest, parameters: list[str]) -> Plan:
    plan = compile_notebook(notebook, manifest.pipeline, parameters)
    known = [(facts["cell"], facts["what"]) for facts in manifest.kept]
    keep = {part.order for part in (*plan.left_out, *plan.constants) if (part.cell, part.what) in known}
    plan = compile_notebook(notebook, manifest.pipeline, parameters, keep) if keep else plan
    return plan.as_exported({facts["name"]: facts for facts in manifest.steps})


def with_sources(notebook: Notebook, sources: Mapping[int, str]) -> Notebook:
    """The notebook with other code in some of its cells, by number; it lies in no file."""
    cells = tuple(replace(cell, source=sources.get(cell.number, cell.source)) for cell in notebook.cells)
    return replace(notebook, cells=cells, digest="")
