"""A value that follows the order of a set is not proven by giving the module the notebook's own hash seed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from p2p.errors import EvidenceRefused
from p2p.export import export_notebook
from p2p.settings import Settings
from tests.browser.conftest import write

REPOSITORY = Path(__file__).resolve().parents[2]
CELL = '%%step pick\nwords = list({"ape", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "kea"})'


@pytest.mark.soak  # in the browser's tests the seed is set, and the same export refused
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # MLflow's own
def test_a_hash_seed_that_is_set_for_all_proves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user sets `PYTHONHASHSEED`, or a Dask cluster does it for the process that starts it."""
    monkeypatch.setenv("PYTHONHASHSEED", "6640")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    shutil.copyfile(REPOSITORY / "requirements.lock", settings.root / "requirements.lock")
    notebook = settings.root / "notebooks" / "set_order.ipynb"
    write(notebook, "%load_ext p2p", CELL)
    with pytest.raises(EvidenceRefused, match="words"):
        export_notebook(notebook, settings)
    assert not (settings.pipelines / "set_order").exists()
