"""Values as named files: test data beside generated tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2p.errors import StoreError
from p2p.store import load_file, save_file


def test_a_saved_value_is_a_readable_file_of_its_name(tmp_path: Path) -> None:
    ref = save_file({"auc": 0.8}, tmp_path / "data", "scores")
    assert (tmp_path / "data" / "scores.json").read_text() == '{"auc":0.8}'
    assert load_file(tmp_path / "data", "scores", ref) == {"auc": 0.8}


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    ref = save_file((1, 2), tmp_path, "pair")
    path = tmp_path / "pair.pickle"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(StoreError, match="damaged"):
        load_file(tmp_path, "pair", ref)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    ref = save_file([1], tmp_path, "one")
    with pytest.raises(StoreError, match=r"two\.json"):
        load_file(tmp_path, "two", ref)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a\\b", "/abs"])
def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="plain file name"):
        save_file([1], tmp_path / "data", name)
    assert list(tmp_path.rglob("*.json")) == []


def test_what_cannot_be_stored_writes_no_file(tmp_path: Path) -> None:
    assert "code" in save_file(print, tmp_path, "it").reason
    assert list(tmp_path.iterdir()) == []
