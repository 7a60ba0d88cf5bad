"""The notebooks of this repository give the outputs that are stored in them."""

from __future__ import annotations

import shutil

import pytest

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
