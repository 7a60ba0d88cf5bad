from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from p2p.export import locking

HASH = "sha256:" + "0" * 64


def test_hashes_are_found_by_normalized_name_and_version() -> None:
    text = f"""
--index-url https://example.org/simple
Some.Pkg[extra]==1.0 ; python_version > "3" \\
    --hash={HASH} \\
    --hash=sha256:11
    # via other
bare==2.0
other==3.0 --hash={HASH}  # a comment
"""
    assert locking.parse_hashes(text) == {("some-pkg", "1.0"): [f"--hash={HASH}", "--hash=sha256:11"],
                                          ("other", "3.0"): [f"--hash={HASH}"]}  # fmt: skip


def test_the_closure_holds_what_a_package_requires_and_not_its_extras() -> None:
    found = locking.closure(["pandas"])
    assert {"pandas", "numpy", "python-dateutil"} <= set(found)
    assert found["numpy"] == metadata.version("numpy")
    assert "pytest" not in found
    assert list(found) == sorted(found)


def test_an_unknown_package_is_passed_over() -> None:
    assert locking.closure(["no-such-package-anywhere"]) == {}


def test_a_lock_names_each_package_once_with_hashes_and_tells_which_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "closure", lambda _names: {"numpy": "2.0", "p2p-toolkit": "0.1", "six": "1.0"})
    monkeypatch.setattr(locking, "_uv_hashes", lambda _packages: {})
    (tmp_path / "requirements.lock").write_text(f"numpy==2.0 --hash={HASH}\nsix==1.1 --hash={HASH}\n", encoding="utf-8")
    text, packages, notes = locking.lock(["import numpy"], tmp_path)
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "numpy==2.0 \\", f"    --hash={HASH}", "six==1.0"
    ]  # fmt: skip
    assert packages == {"numpy": "2.0", "six": "1.0"}
    assert notes == ["requirements.lock has no hash for six"]


def test_the_lock_is_of_what_the_sources_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(locking, "closure", lambda names: asked.extend(names) or {})
    locking.lock(["import yaml.nodes as n\nfrom . import steps", "from pandas.api import types"], tmp_path)
    assert [name.lower() for name in asked] == ["pyyaml", "pandas", "p2p-toolkit"]
