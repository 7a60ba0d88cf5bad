from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from p2p.settings import Settings
from tests.hostile.kernels import Executed, execute
from tests.hostile.survivors import Survivors, run_survivors
from tests.hostile.tracked import run_tracked, tracked_workshop
from tests.journeys.workshop import Workshop


@pytest.fixture(scope="module")
def survivors(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Survivors:
    """One real `p2p run` of a notebook that does many bad things, a cell each, and goes on."""
    return run_survivors(make_project(tmp_path_factory.mktemp("survivors") / "project"))


@pytest.fixture
def run_cells(tmp_path: Path, settings: Settings) -> Callable[..., Executed]:
    """Runs cells in a real headless kernel, as `p2p run` does but for MLflow."""

    def run(*cells: str, cell_timeout: int = 60) -> Executed:
        return execute(tmp_path, settings, *cells, cell_timeout=cell_timeout)

    return run


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Workshop:
    """The project of `tracked_run`."""
    return tracked_workshop(make_project(tmp_path_factory.mktemp("tracked") / "project"))


@pytest.fixture(scope="module")
def tracked_run(workshop: Workshop) -> dict[str, object]:
    """The answer, and what was shown, of one real `p2p run` with strange metrics, names and secrets."""
    return run_tracked(workshop)
