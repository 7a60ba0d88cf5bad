"""Which results are used again, and which never are."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blake3 import blake3

from p2p.policy import Policy
from p2p.store import Ledger
from tests.cache import examples
from tests.cache.conftest import Bench


def test_an_equal_step_of_another_run_is_not_run_again(bench: Bench) -> None:
    assert bench.run().step(examples.double, x=3).outputs == {"y": 6}
    again = bench.run()
    outcome = again.step(examples.double, x=3)
    assert (outcome.outputs, outcome.attempts) == ({"y": 6}, 0)
    assert (again.last()["state"], again.last()["because"], again.last()["from_run"]) == ("cached", "cached", "run-1")


@pytest.mark.parametrize("change", ["input", "helper's constant", "name", "off", "policy"])
def test_anything_that_differs_is_another_step(bench: Bench, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run().step(examples.double, x=3)
    if change == "helper's constant":
        monkeypatch.setattr(examples, "FACTOR", 5)
    outcome = bench.run(cache=change != "off").step(
        examples.double, x=4 if change == "input" else 3, name="other" if change == "name" else "",
        policy=Policy(cache=change != "policy"),
    )  # fmt: skip
    assert outcome.attempts == 1


def test_a_changed_helper_is_another_step(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run().step(examples.double, x=3)
    monkeypatch.setattr(examples, "helper", examples.shares)
    assert bench.run().step(examples.double, x=3).attempts == 1


@pytest.mark.parametrize("draws", [examples.draws, examples.draws_numpy])
def test_a_step_that_draws_is_used_again_where_the_generators_stand_alike(bench: Bench, draws: Any) -> None:
    random.seed(1)
    np.random.seed(1)
    first = bench.run().step(draws, n=3).outputs["y"]
    after = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    again = bench.run().step(draws, n=3)
    assert again.attempts == 0
    assert list(again.outputs["y"]) == list(first)
    assert (random.random(), np.random.random()) == after  # what follows draws as it did
    other = bench.run().step(draws, n=3)
    assert other.attempts == 1
    assert list(other.outputs["y"]) != list(first)


@pytest.mark.parametrize(
    ("function", "given", "reason"),
    [
        (examples.clock, {"x": 1}, "it may read the clock: time()"),
        (examples.unseeded, {"n": 1}, "it draws what nobody can draw again: default_rng()"),
        (examples.handle, {"n": 1}, "it gives what cannot be stored: 'y'"),
    ],
)
def test_what_depends_on_more_than_its_inputs_is_never_used_again_and_says_why(
    bench: Bench, function: Any, given: Any, reason: str
) -> None:
    run = bench.run()
    run.step(function, **given)
    assert any(reason in said for said in run.last()["uncached"]), run.last()["uncached"]
    assert bench.run().step(function, **given).attempts == 1


def test_a_step_that_reads_a_file_is_used_again_only_while_the_declared_file_is_the_same(
    bench: Bench, tmp_path: Path
) -> None:
    data = tmp_path / "data.txt"
    data.write_text("one")
    declared = Policy(files=str(data))
    run = bench.run()
    run.step(examples.reads, path=str(data))
    assert run.last()["uncached"][0] == "files: it may read files: read_text()"
    assert bench.run().step(examples.reads, path=str(data), policy=declared).attempts == 1
    assert bench.run().step(examples.reads, path=str(data), policy=declared).attempts == 0
    data.write_text("two")
    assert bench.run().step(examples.reads, path=str(data), policy=declared).outputs == {"y": "two"}


def test_a_file_that_was_opened_and_not_declared_is_seen(bench: Bench, tmp_path: Path) -> None:
    declared, other = tmp_path / "declared.txt", tmp_path / "other.txt"
    for path in (declared, other):
        path.write_text("1\n2\n")
    run = bench.run()
    run.step(examples.opens, path=str(other), policy=Policy(files=str(declared)))
    assert run.last()["uncached"] == [f"it opened {other.resolve()}"]


def test_a_seeded_generator_of_its_own_is_no_doubt(bench: Bench) -> None:
    run = bench.run()
    run.step(examples.seeded, n=2)
    assert "uncached" not in run.last()


def test_an_input_that_is_changed_in_place_is_changed_by_the_known_result_too(bench: Bench) -> None:
    rows = [5]
    first = bench.run()
    outcome = first.step(examples.changes, rows=rows)
    assert list(outcome.changed) == ["rows"]
    run = bench.run()
    rows = [5]
    alias = rows  # another name, of which the step knows nothing
    assert run.step(examples.changes, rows=rows).attempts == 0
    assert alias == [5, 1]


def test_outputs_that_are_one_object_are_one_object_again(bench: Bench) -> None:
    bench.run().step(examples.shares, ("a", "b"), n=1)
    run = bench.run()
    outcome = run.step(examples.shares, ("a", "b"), n=1)
    assert outcome.attempts == 0
    assert outcome.outputs["a"] is outcome.outputs["b"]


@pytest.mark.parametrize(("names", "result"), [(("a", "b"), [1, 2]), (("whole",), [1, 2])])
def test_a_functions_result_has_its_shape_again(bench: Bench, names: tuple[str, ...], result: Any) -> None:
    bench.run().step(examples.pair, names, n=1)
    run = bench.run()
    assert run.step(examples.pair, names, n=1).attempts == 0
    assert run.names["result"] == result


def test_a_failed_step_is_not_kept(bench: Bench) -> None:
    for _ in range(2):
        run = bench.run()
        with pytest.raises(ValueError, match="no"):
            run.step(examples.fails, n=1)
        assert run.last()["state"] == "failed"


def test_what_a_step_logged_and_left_belongs_to_the_run_that_uses_its_result(bench: Bench) -> None:
    first = bench.run()

    def logs(n: int) -> int:
        (first.directory / "report.txt").write_text("fine")
        from p2p.execution import by_step

        append = by_step(first.journal.append)
        append("logged", metrics=[{"key": "m", "value": 1.0, "timestamp": 1, "step": 0}])
        append("artifact", path="report.txt", folder="")
        return n

    first.step(logs, n=1)
    again = bench.run(first.directory)
    assert again.step(logs, n=1).attempts == 0
    from p2p.tracking import read_events

    events = read_events(again.directory)
    assert [e["metrics"][0]["key"] for e in events if e["kind"] == "logged"] == ["m"]
    assert [e["path"] for e in events if e["kind"] == "artifact"] == ["report.txt"]
    assert (again.directory / "report.txt").read_text() == "fine"


def ledger_file(bench: Bench) -> Path:
    [path] = (bench.root / "p2p" / "cache").iterdir()
    return path


def entry_of(bench: Bench) -> tuple[str, Any]:
    """The key of the only entry, and what it says."""
    [(key, text)] = Ledger(bench.root / "p2p" / "cache").entries()
    return key, json.loads(text)


def test_a_secret_input_is_written_nowhere_and_its_step_is_not_kept_for_others(bench: Bench) -> None:
    from pydantic import SecretStr

    run = bench.run()
    assert run.step(examples.length, secret=SecretStr("hunter2hunter2")).outputs == {"y": 14}
    assert [p for p in bench.root.rglob("*") if p.is_file() and b"hunter2" in p.read_bytes()] == []
    assert "has no digest" in run.last()["uncached"][0]
    assert bench.run().step(examples.length, secret=SecretStr("hunter2hunter2")).attempts == 1


def test_a_resumed_run_takes_over_what_the_cache_never_would(bench: Bench) -> None:
    first = bench.run()
    made = first.step(examples.clock, x=1).outputs["y"]
    again = bench.run(first.directory)
    outcome = again.step(examples.clock, x=1)
    assert (outcome.attempts, outcome.outputs["y"]) == (0, made)
    assert again.last()["because"] == "resumed"
    third = bench.run(again.directory)  # and whoever resumes that one
    assert third.step(examples.clock, x=1).outputs["y"] == made


def test_a_resumed_run_draws_on_where_the_first_one_stood(bench: Bench) -> None:
    first = bench.run()
    a = first.step(examples.draws, n=2).outputs["y"]
    following = random.random()
    random.seed(99)
    again = bench.run(first.directory)
    assert again.step(examples.draws, n=2).outputs["y"] == a
    assert random.random() == following


def test_a_resumed_run_does_anew_what_has_other_code_or_inputs(bench: Bench) -> None:
    first = bench.run(cache=False)
    first.step(examples.double, x=3)
    assert bench.run(first.directory, cache=False).step(examples.double, x=4).attempts == 1
    assert bench.run(first.directory, cache=False).step(examples.helper, x=3, name="double").attempts == 1


def test_the_entry_is_what_the_format_says(bench: Bench) -> None:
    bench.run().step(examples.double, x=3)
    key, kept = entry_of(bench)
    assert set(kept) == {"run", "step_id", "code", "inputs", "outputs", "form"}  # what is empty is left out
    assert kept["outputs"]["y"]["codec"] == "json"
    [line] = [line for line in ledger_file(bench).read_bytes().split(b"\n") if line]
    name, digest, text = line.split(b" ", 2)
    assert (name.decode(), ledger_file(bench).name) == (key, f"{key[0]}.log")
    assert digest.decode() == blake3(name + text).hexdigest(length=16)
    assert json.loads(text) == kept
