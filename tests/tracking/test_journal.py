from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2p.errors import TargetError
from p2p.model import RunStatus, StepState
from p2p.tracking import Journal, find_run, new_key, past_runs, read_events, records
from p2p.tracking.journal import NAME, Tail, counting_events, first_end
from p2p.tracking.records import read_record

WRITE = """
import sys
from pathlib import Path
from p2p.tracking import Journal
journal = Journal(Path(sys.argv[1]))
for n in range(300):
    journal.append("metric", by=sys.argv[2], n=n, text="x" * (n * 40))
"""


def test_two_processes_that_append_at_once_keep_every_line_whole(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), name]) for name in "ab"]
    assert [w.wait(60) for w in writers] == [0, 0]
    events = read_events(tmp_path)
    for name in "ab":
        assert [(e["n"], len(e["text"])) for e in events if e["by"] == name] == [(n, n * 40) for n in range(300)]


def test_a_line_that_is_still_being_written_waits_for_the_rest(tmp_path: Path) -> None:
    path = tmp_path / NAME
    tail = Tail(path)
    assert list(tail.read()) == []
    line = json.dumps({"kind": "a", "text": "größer"}).encode() + b"\n"
    path.write_bytes(line + line[:10])
    assert len(list(tail.read())) == 1
    assert list(tail.read()) == []
    with path.open("ab") as file:
        file.write(line[10:])
    assert [e["text"] for e in tail.read()] == ["größer"]


def test_a_reader_that_stops_halfway_goes_on_where_it_stopped(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for n in range(3):
        journal.append("a", n=n)
    tail = Tail(journal.path)
    assert next(tail.read())["n"] == 0
    assert [e["n"] for e in tail.read()] == [1, 2]


def test_a_journal_is_for_its_user_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run")
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0
    assert journal.path.stat().st_mode & 0o077 == 0


def test_after_close_an_event_is_refused_and_not_lost_silently(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.close()
    journal.close()
    with pytest.raises(ValueError, match="is closed"):
        journal.append("late")


def test_any_text_and_any_object_can_be_told(tmp_path: Path) -> None:
    Journal(tmp_path).append("odd", text="a\nb\u2028\ud800", path=Path("x"))
    [event] = read_events(tmp_path)
    assert event["text"].startswith("a\nb\u2028")
    assert event["path"] == "x"


_CHARACTERS = st.characters() | st.characters(categories=["Cs"]) | st.sampled_from("\u2028\x85\x00\n")
_TEXTS = st.text(_CHARACTERS, max_size=8)
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | st.just(-(10**400)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4), max_leaves=12,
)  # fmt: skip


@given(_PLAIN)
def test_plain_data_comes_back_as_python_s_own_json_would_give_it(
    tmp_path_factory: pytest.TempPathFactory, data: object
) -> None:
    directory = tmp_path_factory.mktemp("run")
    journal = Journal(directory)
    journal.append("a", data=data)
    journal.append("b")
    journal.close()
    events = read_events(directory)
    assert [event["kind"] for event in events] == ["a", "b"]
    assert repr(events[0]["data"]) == repr(json.loads(json.dumps(data)))


def test_data_as_deep_as_python_goes_comes_back(tmp_path: Path) -> None:
    deep: list[object] = []
    for _ in range(400):
        deep = [deep]
    Journal(tmp_path).append("a", data=deep)
    assert read_events(tmp_path)[0]["data"] == deep


def test_keys_sort_by_time_and_never_meet() -> None:
    keys = [new_key() for _ in range(50)]
    assert len(set(keys)) == 50
    assert [k[:22] for k in keys] == sorted(k[:22] for k in keys)


def a_run(runs: Path, key: str, run_id: str = "", **facts: object) -> Journal:
    journal = Journal(runs / key)
    journal.append("run_opened", name="flights", run_kind="notebook", **facts)
    if run_id:
        journal.append("mlflow_run", run_id=run_id, experiment="1")
    return journal


REF = {"type": "builtins.int", "codec": "json", "digest": "d" * 64, "nbytes": 1, "shape": [], "preview": "1"}


def test_a_record_tells_each_steps_last_state_in_the_order_of_first_starts(tmp_path: Path) -> None:
    journal = a_run(tmp_path, "k1", "abc")
    for number, (step, state) in enumerate([("load", "failed"), ("clean", "done"), ("load", "done")]):
        journal.append("step_started", step=step, id=f"i{number}", parent="", parent_id="", inputs={"n": REF})
        error = {"error_type": "ValueError", "error": "bad"} if state == "failed" else {}
        journal.append("step_finished", step=step, id=f"i{number}", state=state, seconds=1.5, attempts=2, parent="",
                       outputs={"x": REF} if state == "done" else {}, **error)  # fmt: skip
    assert read_record(tmp_path / "k1").status is RunStatus.RUNNING
    journal.append("run_finished", status="FAILED", failed_step="load")
    record = read_record(tmp_path / "k1")
    assert (record.key, record.run_id, record.status) == ("k1", "abc", RunStatus.FAILED)
    assert [(s.name, s.state) for s in record.steps] == [("load", StepState.DONE), ("clean", StepState.DONE)]
    load = record.step("load")
    assert load is not None
    assert (load.attempts, load.seconds, load.inputs["n"].digest, list(load.outputs)) == (2, 1.5, "d" * 64, ["x"])
    assert record.step("train") is None


def test_past_runs_are_those_with_the_asked_facts_newest_first(tmp_path: Path) -> None:
    for key, digest in [("20260101", "a"), ("20260102", "b"), ("20260103", "a")]:
        a_run(tmp_path, key, notebook_digest=digest)
    (tmp_path / "20260104").mkdir()  # a run whose process died before it wrote anything
    (tmp_path / "20260105").mkdir()
    (tmp_path / "20260105" / NAME).write_text('{"kind": "run_op')
    assert [r.key for r in past_runs(tmp_path)] == ["20260103", "20260102", "20260101"]
    assert [r.key for r in past_runs(tmp_path, notebook_digest="a")] == ["20260103", "20260101"]
    assert list(past_runs(tmp_path / "none")) == []


def test_a_run_is_found_by_its_whole_key_without_a_look_at_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [new_key() for _ in range(3)]
    for key in keys:
        a_run(tmp_path, key)
    (tmp_path / new_key()).mkdir()
    monkeypatch.setattr(records, "_goes_by", None)
    assert [find_run(tmp_path, key).key for key in keys] == keys


def test_a_run_is_found_by_the_beginning_of_its_id_or_key(tmp_path: Path) -> None:
    a_run(tmp_path, "20260101", "abc1")
    a_run(tmp_path, "20260202", "abd2")
    assert find_run(tmp_path, "abc").key == "20260101"
    assert find_run(tmp_path, "202602").run_id == "abd2"


@pytest.mark.parametrize(("run", "problem"), [("ab", "2 runs"), ("zz", "No run"), ("", "No run")])
def test_a_run_that_is_not_one_is_refused_with_a_cure(tmp_path: Path, run: str, problem: str) -> None:
    a_run(tmp_path, "20260101", "abc1")
    a_run(tmp_path, "20260202", "abd2")
    with pytest.raises(TargetError, match=problem) as caught:
        find_run(tmp_path, run)
    assert "run id" in caught.value.cure


def test_the_first_end_is_the_end_whatever_else_names_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert first_end(tmp_path) == {"kind": ""}
    journal.append("logged", tags=['"run_finished"'], kinds={"run_finished": 1})
    assert first_end(tmp_path) == {"kind": ""}
    journal.append("run_finished", by="one")
    journal.append("run_finished", by="other")
    assert first_end(tmp_path)["by"] == "one"
    assert first_end(tmp_path) == next(e for e in read_events(tmp_path) if e["kind"] == "run_finished")


def test_events_of_some_kinds_count_as_all_do(tmp_path: Path) -> None:
    """What comes after the end counts for nothing, but for MLflow's id, whichever kinds are asked for."""
    journal = Journal(tmp_path / "run")
    for kind in ("run_opened", "logged", "step_started", "run_finished", "logged", "mlflow_run", "run_finished"):
        journal.append(kind, says='a "logged" text')
    journal.close()
    kinds = ("run_opened", "logged", "mlflow_run", "run_finished")
    for asked in (kinds, kinds[:3]):
        found = [event["kind"] for event in counting_events(tmp_path / "run", *asked)]
        assert found == [event["kind"] for event in read_events(tmp_path / "run") if event["kind"] in asked]
    assert found == ["run_opened", "logged", "mlflow_run"]
