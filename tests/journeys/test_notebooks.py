"""The notebooks of this repository give the outputs that are stored in them."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.building import write_notebook
from tests.journeys.workshop import REPOSITORY, Workshop


@pytest.mark.parametrize("name", ["penguins", pytest.param("flight_delays", marks=pytest.mark.soak)])
def test_a_notebook_still_gives_its_stored_outputs(workshop: Workshop, name: str) -> None:
    path = workshop.root / "notebooks" / f"{name}.ipynb"
    shutil.copyfile(REPOSITORY / "notebooks" / f"{name}.ipynb", path)
    done = workshop.python(
        "-m", "pytest", "-q", "--nbval", "-p", "no:cacheprovider", "-c", str(REPOSITORY / "pyproject.toml"),
        "--rootdir", str(workshop.root), str(path),
    )  # fmt: skip
    assert done.code == 0, done.out[-5000:]
    assert " passed" in done.out


def test_a_notebook_that_was_saved_with_its_own_export_in_a_cell_is_run_once(workshop: Workshop) -> None:
    cells = ("%load_ext p2p", "%%step load\nrows = [1]", "%p2p run", "%p2p export", "%p2p sweep itself.ipynb -p n=1,2")
    path = write_notebook(workshop.root / "notebooks" / "itself.ipynb", *cells, params="n: int = 3")
    done = workshop.p2p("export", str(path), "--json")
    assert (done.code, done.answer["version"]) == (0, 1), done.err
    (run,) = workshop.runs_of(path, "notebook")
    said = json.loads((run.directory / "itself.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = ["".join(output["text"]) for cell in said for output in cell.get("outputs", []) if "text" in output]
    assert [text.split()[1] for text in texts if "left out here" in text] == ["run`", "export`", "sweep`"], texts
