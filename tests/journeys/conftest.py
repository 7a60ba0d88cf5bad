from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from p2p.settings import Settings
from tests.journeys.workshop import REPOSITORY, Workshop


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Workshop:
    """A project that the tests of a file share, because a run of it costs seconds."""
    settings = make_project(tmp_path_factory.mktemp("workshop"))
    shutil.copyfile(REPOSITORY / "requirements.lock", settings.root / "requirements.lock")
    return Workshop(settings)
