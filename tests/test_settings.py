from __future__ import annotations

from pathlib import Path

import pytest

from p2p.errors import InputRefused
from p2p.settings import load_settings


def test_the_project_is_the_nearest_folder_above_that_looks_like_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    inner = tmp_path / "notebooks" / "deep"
    inner.mkdir(parents=True)
    settings = load_settings(inner, {})
    assert settings.root == tmp_path.resolve()
    assert settings.tracking_uri == f"sqlite:///{tmp_path.resolve().as_posix()}/mlruns/mlflow.db"
    assert settings.experiment is None


def test_the_environment_wins(tmp_path: Path) -> None:
    environment = {
        "P2P_ROOT": str(tmp_path / "p"), "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000", "MLFLOW_EXPERIMENT_NAME": "x",
    }  # fmt: skip
    settings = load_settings(Path("/"), environment)
    assert (settings.root, settings.tracking_uri, settings.experiment) == (
        (tmp_path / "p").resolve(), "http://127.0.0.1:5000", "x",
    )  # fmt: skip


def test_empty_variables_are_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    settings = load_settings(tmp_path, {"P2P_ROOT": "", "MLFLOW_TRACKING_URI": "", "MLFLOW_EXPERIMENT_NAME": ""})
    assert settings.root == tmp_path.resolve()
    assert settings.tracking_uri.startswith("sqlite:///")
    assert settings.experiment is None


@pytest.mark.parametrize(("text", "limit"), [("", 20 * 10**9), ("5GB", 5 * 10**9), ("none", None), ("0", 0)])
def test_the_limit_of_the_store_is_given_as_a_size(tmp_path: Path, text: str, limit: int | None) -> None:
    assert load_settings(tmp_path, {"P2P_STORE_LIMIT": text}).values_limit == limit


def test_a_limit_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="P2P_STORE_LIMIT is 'big'"):
        load_settings(tmp_path, {"P2P_STORE_LIMIT": "big"})


def test_the_output_that_a_cell_keeps_is_given_as_a_size(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).output_limit == 10**7
    assert load_settings(tmp_path, {"P2P_OUTPUT_LIMIT": "500KB"}).output_limit == 500_000
    with pytest.raises(InputRefused, match="P2P_OUTPUT_LIMIT is 'none'"):
        load_settings(tmp_path, {"P2P_OUTPUT_LIMIT": "none"})


def test_all_run_state_lies_in_one_folder(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"P2P_ROOT": str(tmp_path)})
    for place in (settings.artifacts, settings.values, settings.runs):
        assert place.is_relative_to(settings.mlruns)
