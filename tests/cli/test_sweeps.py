"""What `p2p sweep` refuses: by name, with exit code 2, before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from p2p.settings import Settings
from tests.building import write_notebook
from tests.cli.conftest import Answer


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-p", "x=1,2", "--grid", "--sample", "3"), "Give one of them."),
        (("--sample", "3", "--optimize", "maximize:s"), "Give one of them."),
        (("--optimize", "s"), "is no goal"),
        (("--optimize", "maximize:s", "-f", "points.csv"), "chooses its points itself"),
        (("--optimize", "maximize:s", "--trials", "10001"), "10,000 are the most"),
        (("-p", "x=1,2", "-j", "many"), "is no number of points at a time"),
        (("-p", "x=1,2", "-j", "101"), "Give 1 to 100, or auto."),
        (("-p", "x=1,two"), "Point 2: x must be"),
        (("-p", "x"), "has no value"),
        (("--resume", "nothing"), "No run of this project begins with 'nothing'"),
        (("--resume", "nothing", "--sample", "3"), "has its points already"),
        (("-f", "none.csv"), "none.csv: cannot be read"),
        (("-p", "x=1,2", "--engine", "dask"), "A notebook runs in one kernel, not on Dask. Export it"),
    ],
)
def test_what_is_no_sweep_is_refused(
    p2p: Callable[..., Answer], settings: Settings, arguments: tuple[str, ...], told: str
) -> None:
    path: Path = write_notebook(
        settings.root / "notebooks" / "s.ipynb", "s = x", params="x: int = 1\nflag: bool = True"
    )
    done = p2p("sweep", str(path), *arguments, "--json")
    assert done.code == 2
    assert told in done.document["error"]
    assert not settings.runs.exists()
