"""A project with versions of a pipeline, written as an export writes them but without running anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from p2p.drift.regenerating import regenerate
from p2p.export import file_digests
from p2p.export.packages import write_package_files
from p2p.export.units import unit_marks
from p2p.manifest import Manifest
from p2p.notebook import parameters_of, read_notebook
from p2p.settings import Settings
from tests.building import write_notebook

_CELLS = (
    """
    import math
    import numpy as np
    from p2p import step
    """,
    """
    # the share that the state takes
    VAT = 0.2
    UNUSED = 1

    def gross(net):
        # with the tax on top
        return net * (1 + VAT)
    """,
    "## The data",
    """
    %%step load --retries 2
    %matplotlib inline
    sales = [1.0, 2.0,
             3.0]   # as they came

    # what nobody wants
    _dropped = sales[:1]
    sales.sort()
    sales
    """,
    "sales[:2]",
    """
    %%step clean(sales, month) -> tidy
    _text = '''
      as it is
    '''
    tidy = [gross(s) for s in sales if s>month]

    len(tidy)
    """,
    """
    @step(timeout=60)
    def total(tidy, month):
      'The sum.'
      # not the mean
      found = sum(tidy)

      return found + month
    """,
    "amount = total(tidy, month)\namount",
)
CELLS = [dedent(cell).strip("\n") for cell in _CELLS]
PARAMS = "month: int = 1"


@dataclass(frozen=True)
class Project:
    """A project, its notebook and the versions of `sales`."""

    settings: Settings
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.settings.root / "notebooks" / "sales.ipynb"

    def write(self, *cells: str, params: str = PARAMS) -> Path:
        return write_notebook(self.path, *cells, params=params)

    def directory(self, version: int = 1) -> Path:
        return self.settings.pipelines / "sales" / f"v{version}"

    def export(self, version: int = 1, contracts: str = "CONTRACTS = {}\n", **facts: Any) -> Manifest:
        """Write the notebook as a version of `sales`; `facts` are what the manifest says otherwise."""
        directory = self.directory(version)
        directory.mkdir(parents=True)
        manifest = Manifest(**{**self._facts(version), **facts})
        made = regenerate(read_notebook(self.path), manifest)
        files = {name: made.file(name) for name in ("steps.py", "pipeline.py", "params.py")}
        files |= {"contracts.py": contracts, "tests/test_pipeline.py": "", "requirements.lock": ""}
        for name, text in files.items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(text, encoding="utf-8")
        write_package_files(self.settings.pipelines / "sales", "sales", version)
        steps = [
            {"name": s.name, "cell": s.cell, "cell_id": s.cell_id, "inputs": list(s.takes), "outputs": {
                n: {"digest": self.digests.get(n, n), "type": "builtins.list", "verified": "equal", "detail": ""}
                for n in s.outputs}}
            for s in made.plan.steps
        ]  # fmt: skip
        known = {
            "steps": steps, "files": file_digests(directory), "units": unit_marks(made.module.text, made.plan)
        }  # fmt: skip
        manifest = Manifest(**{**self._facts(version), **known, **facts})
        (directory / "manifest.json").write_text(manifest.text(), encoding="utf-8")
        return manifest

    def _facts(self, version: int) -> dict[str, Any]:
        notebook = read_notebook(self.path)
        params = {p["name"]: {k: p[k] for k in ("type", "default", "required")}
                  for p in parameters_of(notebook).describe()}  # fmt: skip
        return {
            "pipeline": "sales", "version": version, "notebook": "notebooks/sales.ipynb",
            "notebook_digest": notebook.digest, "git_commit": "", "recorded_run": "", "verified_run": "",
            "params": {n: p["default"] for n, p in params.items()}, "change": "first", "changes": [],
            "interface": {"params": params, "outputs": {}}, "steps": [], "files": {}, "environment": {},
        }  # fmt: skip

    def edit(self, changes: Mapping[str, str], file: str = "steps.py", version: int = 1) -> None:
        """Replace texts in a file of a version; each must be there once."""
        path = self.directory(version) / file
        text = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in\n{text}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def source(self, cell: int) -> str:
        """The code of a cell, by its number."""
        return read_notebook(self.path).cells[cell - 1].source

    def rewrite(self, cell: int, old: str, new: str) -> None:
        """Change a cell of the notebook, as a person would."""
        document = json.loads(self.path.read_text(encoding="utf-8"))
        index = read_notebook(self.path).cells[cell - 1].index
        assert old in document["cells"][index]["source"]
        document["cells"][index]["source"] = document["cells"][index]["source"].replace(old, new)
        self.path.write_text(json.dumps(document, indent=1), encoding="utf-8")
