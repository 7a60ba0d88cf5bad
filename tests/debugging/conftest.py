from __future__ import annotations

import pytest

from p2p.settings import Settings
from tests.drift.project import CELLS, Project


@pytest.fixture
def project(settings: Settings) -> Project:
    """A project with a notebook and its first version, which nobody has run."""
    found = Project(settings)
    found.write(*CELLS)
    found.export()
    return found
