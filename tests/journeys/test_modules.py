"""A notebook that imports modules of its author's, from export to the next version."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2p.manifest import read_manifest
from tests.journeys.workshop import Workshop

CELLS = (
    "import sys\nsys.path.append('../src')\nimport numpy as np\nfrom shapes import *\nimport rates",
    "%%step make\ncircles = [Circle(r) for r in (1, 2)]",
    "%%step measure\nareas = rates.RATE * np.array([c.area() for c in circles])\nbest = max(circles, key=Circle.area)",
)
SHAPES = """
import math

class Circle:
    def __init__(self, r):
        self.r = r

    def area(self):
        return math.pi * self.r ** 2
"""


def write(workshop: Workshop, rate: int) -> Path:
    """The notebook, one module beside it and one above."""
    path = workshop.write("round", *CELLS)
    (workshop.root / "src").mkdir(exist_ok=True)
    (workshop.root / "src" / "shapes.py").write_text(SHAPES, encoding="utf-8")
    (path.parent / "rates.py").write_text(f"RATE = {rate}\n", encoding="utf-8")
    return path


@pytest.mark.soak
def test_they_go_into_the_version_and_a_change_of_one_makes_the_next(workshop: Workshop) -> None:
    path = write(workshop, rate=2)
    first = workshop.p2p("export", str(path), "--json")
    assert first.code == 0, first.err
    manifest = read_manifest(workshop.root / "pipelines" / "round" / "v1")
    assert {p: f["file"] for p, f in manifest.modules.items()} == {
        "rates.py": "notebooks/rates.py", "shapes.py": "src/shapes.py"
    }  # fmt: skip
    assert {v["verified"] for step in manifest.steps for v in step["outputs"].values()} == {"equal"}
    assert not workshop.p2p("export", str(path), "--json").answer["written"]

    (workshop.root / "src" / "shapes.py").unlink()  # the version needs neither
    moved = (path.parent / "rates.py").rename(path.parent / "elsewhere.txt")
    ran = workshop.p2p("run", "round", "--json")
    assert (ran.code, ran.answer["outputs"]["areas"]["shape"]) == (0, [2])
    tested = workshop.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "pipelines/round")
    assert tested.code == 0, tested.out
    moved.unlink()

    write(workshop, rate=3)
    second = workshop.p2p("export", str(path), "--json")
    assert second.code == 0, second.err
    assert second.answer["written"]
    digests = [read_manifest(workshop.root / "pipelines" / "round" / f"v{n}").digests["measure"] for n in (1, 2)]
    assert digests[0]["areas"] != digests[1]["areas"]
    assert digests[0]["best"] is not None
