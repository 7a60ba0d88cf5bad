from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from p2p.export import emit
from p2p.settings import Settings
from tests.drift.project import CELLS, Project

_formatted = cache(emit.formatted)


@pytest.fixture(autouse=True)
def _format_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same text is formatted once in a session: most tests begin with the same notebook, and ruff is a process."""
    monkeypatch.setattr(emit, "formatted", _formatted)


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """A project without a notebook or a version."""
    return Project(Settings(tmp_path, ""))


@pytest.fixture
def project(bare: Project) -> Project:
    """A project with a notebook and its first version."""
    bare.write(*CELLS)
    bare.export()
    return bare
