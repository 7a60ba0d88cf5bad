"""How far the steps of a run are: written by one process, looked at by another, and gone when nothing moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from p2p.tracking.moment import NAME, Look, Moments


def test_each_step_that_has_moved_is_seen_once(tmp_path: Path) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    moments, look = Moments(tmp_path, listen=lambda kind, **data: heard.append((kind, data))), Look(tmp_path)
    moments.moved("a", step="load", n=1)
    moments.moved("b", step="clean", n=1)
    assert [(e["kind"], e["id"], e["step"]) for e in look.read()] == [
        ("step_progress", "a", "load"), ("step_progress", "b", "clean"),
    ]  # fmt: skip
    assert list(look.read()) == []
    moments.moved("b", step="clean", n=2)
    assert [(e["step"], e["n"]) for e in look.read()] == [("clean", 2)]
    assert heard[-1] == ("step_progress", {"id": "b", "step": "clean", "n": 2})
    moments.gone("a")
    moments.gone("b")
    moments.gone("never")
    assert list(look.read()) == []
    assert not (tmp_path / NAME).exists()


def test_what_lies_there_damaged_is_as_nothing(tmp_path: Path) -> None:
    look = Look(tmp_path)
    for text in ('{"steps": [', "[]", '{"steps": 3}', '{"steps": ["x", {}, null]}', '{"steps": null}'):
        (tmp_path / NAME).write_text(text)
        assert list(look.read()) == []


def test_secrets_are_masked_and_a_run_that_was_removed_stays_so(tmp_path: Path) -> None:
    moments = Moments(tmp_path / "run", mask=lambda data: {**data, "description": "*"})
    moments.moved("a", step="load", description="hunter2")
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    moments.moved("a", step="load", description="hunter2")
    assert "hunter2" not in (tmp_path / "run" / NAME).read_text()
    assert list((tmp_path / "run").iterdir()) == [tmp_path / "run" / NAME]
