from __future__ import annotations

from pathlib import Path

import pytest

from p2p.errors import TargetError
from p2p.export import packages


@pytest.fixture
def pipelines(tmp_path: Path) -> Path:
    """A folder with the pipeline `sales`, versions 1, 2 and 10."""
    for version in (1, 2, 10):
        directory = tmp_path / "sales" / f"v{version}"
        directory.mkdir(parents=True)
        (directory / "manifest.json").write_text("{}", encoding="utf-8")
        packages.write_package_files(tmp_path / "sales", "sales", version)
    return tmp_path


def test_the_first_version_is_the_promoted_one_and_a_later_one_changes_nothing(pipelines: Path) -> None:
    assert packages.promoted_version(pipelines, "sales") == 1


def test_promotion_changes_one_line_and_keeps_what_people_wrote_around_it(pipelines: Path) -> None:
    init = pipelines / "sales" / "__init__.py"
    init.write_text(f"# ours\n{init.read_text(encoding='utf-8')}\nOWNER = 'us'\n", encoding="utf-8")
    before = init.read_text(encoding="utf-8").splitlines()
    packages.set_promoted(pipelines, "sales", 10)
    after = init.read_text(encoding="utf-8").splitlines()
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [
        "from .v10.pipeline import pipeline as pipeline"
    ]
    assert packages.promoted_version(pipelines, "sales") == 10


def test_a_line_that_was_lost_is_said_so_and_put_back_by_promotion(pipelines: Path) -> None:
    init = pipelines / "sales" / "__init__.py"
    init.write_text("", encoding="utf-8")
    with pytest.raises(TargetError, match="p2p promote sales@N"):
        packages.promoted_version(pipelines, "sales")
    packages.set_promoted(pipelines, "sales", 2)
    assert packages.promoted_version(pipelines, "sales") == 2


@pytest.mark.parametrize(
    ("name", "version", "says"),
    [("salse", 1, "Did you mean 'sales'?"), ("other", 1, "Known: sales."), ("../sales", 1, "'../sales'"),
     ("sales", 3, "It has 1, 2, 10.")],
)  # fmt: skip
def test_what_is_not_there_is_named_with_what_is(pipelines: Path, name: str, version: int, says: str) -> None:
    with pytest.raises(TargetError) as refusal:
        packages.known_version(pipelines, name, version)
    assert says in str(refusal.value)
