"""A step that is mapped in a notebook is mapped in its module, which gives the same."""

from __future__ import annotations

import pytest

from p2p.export import export_notebook
from tests.journeys.workshop import Workshop, digests

CELLS = (
    "import random\nimport p2p",
    "@p2p.step(retries=2, backoff=0)\ndef score(part, factor=1):\n    return sum(part) * factor + random.random()",
    "%%step split(size) -> parts\nrandom.seed(4)\nparts = [[n, n + 1] for n in range(size)]",
    "scores = score.map(parts, factor=factor)",
    "%%step again(parts) -> total\ntotal = sum(score.map(parts)) + random.random()",
)


@pytest.fixture
def exported(workshop: Workshop) -> str:
    path = workshop.write("scoring", *CELLS, params="size: int = 3\nfactor: int = 2")
    done = export_notebook(path, workshop.settings)
    assert done.written
    return (workshop.root / "pipelines" / "scoring" / "v1" / "pipeline.py").read_text(encoding="utf-8")


def test_a_mapped_step_is_exported_mapped_and_proven(workshop: Workshop, exported: str) -> None:
    assert 'inputs={"part": "parts", "factor": "factor"}, outputs=["scores"], over="parts"' in " ".join(
        exported.split()
    )
    tests = (workshop.root / "pipelines" / "scoring" / "v1" / "tests" / "test_pipeline.py").read_text(encoding="utf-8")
    assert 'mapped(steps.score, case.inputs["parts"], factor=case.inputs["factor"])' in tests
    assert "def test_again_alone" in tests
    assert "has no test alone" not in tests.replace("split has no test alone", "")
    ran = workshop.p2p("run", "scoring", "--json", "--no-cache")
    assert ran.code == 0, ran.err
    [notebook] = workshop.records(run_kind="notebook")
    module = workshop.records(run_kind="module")[0]
    assert digests(module) == digests(notebook)
