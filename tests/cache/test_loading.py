"""A result that was found is checked at once and loaded late: the same values, state and records as loaded at once."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from p2p import Pipeline, Policy, Task
from p2p.cache import known
from p2p.errors import ContractBroken, StoreError
from p2p.model import ValueRef
from p2p.runners import local
from p2p.runners.local import Here, Isolated, StepFailed, run_tasks
from p2p.store import DiskStore
from p2p.store import values as store_values
from p2p.tracking import read_events
from tests.cache import late_steps as steps
from tests.cache.conftest import Bench, Run


def pipeline(*tasks: Task, **contracts: Any) -> Pipeline:
    return Pipeline(name="late", version=1, params=steps.Params, tasks=tasks, contracts=contracts)


FRAME = Task(steps.frame, ["n"], ["table"])
SCALED = Task(steps.scaled, ["table"], ["larger"])
TOTAL = Task(steps.total, ["larger"], ["total"])
FRAMES = pipeline(FRAME, SCALED)


def ran(bench: Bench, made: Pipeline, resumes: Run | None = None, *, n: int = 3, **options: Any) -> Ran:
    run = bench.run(None if resumes is None else resumes.directory, **options)
    return Ran(run, run_tasks(made, {"n": n}, run.services))


class Ran:
    def __init__(self, run: Run, values: Mapping[str, Any]) -> None:
        self.run = run
        self.values = values

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(read_events(self.run.directory))

    def states(self) -> dict[str, str]:
        return {e["step"]: e["state"] for e in self.events if e["kind"] == "step_finished"}

    def path(self, bench: Bench, step: str, name: str) -> Path:
        [end] = [e for e in self.events if e["kind"] == "step_finished" and e["step"] == step]
        return bench.values.path(ValueRef.from_dict(end["outputs"][name]))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codecs of the values that are decoded from here on."""
    found: list[str] = []
    decode = store_values.decode

    def noting(codec: str, data: bytes) -> Any:
        found.append(codec)
        return decode(codec, data)

    monkeypatch.setattr(store_values, "decode", noting)
    return found


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called: what is found is loaded at once from then on, as in a notebook."""
    return lambda: monkeypatch.setattr(local, "_anew", lambda *_: None)


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


# --- what is loaded, and when ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [Here(), Isolated()])
def test_nothing_is_loaded_where_nothing_runs(bench: Bench, decoded: list[str], engine: Here) -> None:
    made = pipeline(FRAME, SCALED, Task(steps.texts, ["n"], ["texts"]), Task(steps.size, ["texts"], ["size"]))
    ran(bench, made)
    decoded.clear()
    run = bench.run()
    values = run_tasks(made, {"n": 3}, run.services, engine)
    assert {*Ran(run, values).states().values()} == {"cached"}
    assert decoded == []
    assert values["larger"]["a"].tolist() == [0.0, 2.0, 4.0]
    assert values["texts"] == {"0", "1", "2"}
    assert decoded == ["arrow", "pickle"]


def test_a_step_that_runs_gets_the_value_and_only_what_it_takes_is_loaded(bench: Bench, decoded: list[str]) -> None:
    ran(bench, FRAMES)
    decoded.clear()
    again = ran(bench, pipeline(FRAME, SCALED, TOTAL))
    assert again.states() == {"frame": "cached", "scaled": "cached", "total": "done"}
    assert again.values["total"] == 6.0
    assert decoded == ["arrow"]


def test_a_value_that_two_steps_take_is_one_object_loaded_once(bench: Bench, decoded: list[str]) -> None:
    ran(bench, pipeline(Task(steps.rows, ["n"], ["rows"])))
    decoded.clear()
    again = ran(bench, pipeline(
        Task(steps.rows, ["n"], ["rows"]), Task(steps.first, ["rows"], ["one"]), Task(steps.itself, ["rows"], ["other"])
    ))  # fmt: skip
    assert decoded == ["json"]
    assert again.values["one"] is again.values["rows"][0]
    assert again.values["other"] is again.values["rows"]


def test_a_mapped_step_a_fallback_and_a_retry_get_the_value(bench: Bench) -> None:
    calls: list[str] = []

    def fails(given: list[Any]) -> int:
        calls.append("tried")
        given.append(0)
        raise ValueError("no")

    made = Task(steps.rows, ["n"], ["rows"])
    ran(bench, pipeline(made))
    policy = Policy(retries=1, backoff=0.0, fallback=steps.size)
    again = ran(bench, pipeline(
        made, Task(steps.doubled, ["rows"], ["mapped"], over="rows"), Task(fails, ["rows"], ["size"], policy)
    ))  # fmt: skip
    assert again.states() == {"rows": "cached", "doubled": "done", "fails": "done"}
    assert again.values["mapped"] == [[0, 0], [1, 1], [2, 2]]
    assert (again.values["size"], calls) == (3, ["tried", "tried"])


def test_loading_takes_nothing_of_the_time_that_a_step_has(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(bench, FRAMES)
    get = DiskStore.get

    def slow(self: DiskStore, ref: ValueRef) -> Any:
        time.sleep(0.5)
        return get(self, ref)

    monkeypatch.setattr(DiskStore, "get", slow)
    hasty = Task(steps.total, ["larger"], ["total"], Policy(timeout=0.3))
    assert ran(bench, pipeline(FRAME, SCALED, hasty)).values["total"] == 6.0


def test_what_runs_elsewhere_or_as_a_coroutine_is_loaded_at_once(bench: Bench) -> None:
    class Elsewhere:
        def call(self, task: Task, values: Mapping[str, Any]) -> Any: ...
        def map(self, task: Task, values: Mapping[str, Any], tally: Any) -> Any: ...

    async def later(n: int) -> int:
        return n

    def work(task: Task, engine: Any) -> Any:
        return local.task_work(task, local.Namespace({"n": 1}), {}, {}, engine)

    assert work(FRAME, Here()).anew is not None
    assert work(FRAME, Elsewhere()).anew is None
    assert work(Task(later, ["n"], ["x"]), Here()).anew is None


# --- bytes that are not the right ones ------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", [damage, lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_wrong_byte_is_a_miss_with_a_warning_and_the_step_runs(
    bench: Bench, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = ran(bench, FRAMES).path(bench, "scaled", "larger")
    whole = path.read_bytes()
    harm(path)
    again = ran(bench, FRAMES)
    assert again.states() == {"frame": "cached", "scaled": "done"}
    assert again.values["larger"]["a"].tolist() == [0.0, 2.0, 4.0]
    assert "A kept result of step 'scaled' cannot be used, so it runs again" in caplog.text
    assert path.read_bytes() == whole
    assert ran(bench, FRAMES).states() == {"frame": "cached", "scaled": "cached"}


def harming(path: Path, harm: Callable[[Path], None], after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file come to harm when the step `after` has been found: too late for a miss."""
    load = known.KnownStep._load

    def then_harm(self: Any, kept: Any) -> Any:
        found = load(self, kept)
        if self._work.name == after:
            harm(path)
        return found

    monkeypatch.setattr(known.KnownStep, "_load", then_harm)


@pytest.mark.parametrize("harm", [damage, lambda path: path.unlink(missing_ok=True)])
def test_a_value_that_is_lost_after_it_was_found_is_made_again_inside_the_step_that_takes_it(
    bench: Bench, harm: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = ran(bench, FRAMES).path(bench, "scaled", "larger")
    whole = path.read_bytes()
    with monkeypatch.context() as patch:
        harming(path, harm, "scaled", patch)
        again = ran(bench, pipeline(FRAME, SCALED, TOTAL))
    assert again.values["total"] == 6.0
    ends = [e for e in again.events if e["kind"] == "step_finished"]
    told = [("frame", "", "cached"), ("scaled", "", "cached"), ("scaled", "total", "done"), ("total", "", "done")]
    assert [(e["step"], e["parent"], e["state"]) for e in ends] == told
    assert "The result of step 'scaled' was found and does not load, so it runs again" in caplog.text
    assert path.read_bytes() == whole
    assert {*ran(bench, pipeline(FRAME, SCALED, TOTAL)).states().values()} == {"cached"}


def test_what_makes_a_lost_value_again_takes_what_its_names_stood_for_then(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorter = Task(steps.size, ["table"], ["table"])  # the name stands for something else from here on
    before, after = pipeline(FRAME, SCALED, shorter), pipeline(FRAME, SCALED, shorter, TOTAL)
    path = ran(bench, before).path(bench, "scaled", "larger")
    harming(path, lambda path: path.unlink(missing_ok=True), "scaled", monkeypatch)
    assert ran(bench, after).values["total"] == 6.0


def test_a_mapped_step_is_mapped_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = [Task(steps.rows, ["n"], ["rows"]), Task(steps.doubled, ["rows"], ["mapped"], over="rows")]
    path = ran(bench, pipeline(*mapped)).path(bench, "doubled", "mapped")
    harming(path, damage, "doubled", monkeypatch)
    again = ran(bench, pipeline(*mapped, Task(steps.size, ["mapped"], ["size"])))
    assert (again.values["size"], again.values["mapped"]) == (3, [[0, 0], [1, 1], [2, 2]])


def test_bytes_that_are_right_and_do_not_load_are_no_result_either(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = [Task(steps.texts, ["n"], ["texts"]), Task(steps.size, ["texts"], ["size"])]
    ran(bench, pipeline(made[0]))

    def refuses(codec: str, data: bytes) -> Any:
        raise StoreError(f"A stored {codec} value does not load.")

    monkeypatch.setattr(store_values, "decode", refuses)
    again = ran(bench, pipeline(*made))
    assert (again.values["size"], again.values["texts"]) == (3, {"0", "1", "2"})
    assert "does not load" in caplog.text


def test_a_lost_value_that_nobody_can_make_again_is_a_clear_error_and_no_other_value(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, size = Task(steps.now, ["n"], ["times"]), Task(steps.size, ["times"], ["size"])
    first = ran(bench, pipeline(clock))
    path = first.path(bench, "now", "times")
    harming(path, lambda path: path.unlink(missing_ok=True), "now", monkeypatch)
    policy = Policy(retries=2, backoff=0.0, fallback=0)  # for what the step itself does
    run = bench.run(first.run.directory)
    with pytest.raises(StepFailed) as caught:
        run_tasks(pipeline(clock, Task(size.function, size.inputs, size.outputs, policy)), {"n": 3}, run.services)
    error = caught.value.__cause__
    assert isinstance(error, StoreError)
    assert "The value 'times' of step 'now' was found and then did not load" in error.message
    assert "--no-cache" in error.cure
    events = list(read_events(run.directory))
    ends = [(e["step"], e["state"]) for e in events if e["kind"] == "step_finished" and not e["parent"]]
    assert ends == [("now", "cached"), ("size", "failed")]
    assert not [e for e in events if e["kind"] == "step_retried"]


# --- contracts ------------------------------------------------------------------------------------------------------


def columns(kind: str = "float64", **options: Any) -> Any:
    return pa.DataFrameSchema({"a": pa.Column(kind, **options)})


def test_a_value_that_met_the_same_contract_is_neither_loaded_nor_checked_again(
    bench: Bench, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(bench, pipeline(FRAME, SCALED, table=columns(), larger=pd.DataFrame))
    decoded.clear()
    checked: list[str] = []
    monkeypatch.setattr(pa.DataFrameSchema, "validate", lambda *_args, **_options: checked.append("schema"))
    again = ran(bench, pipeline(FRAME, SCALED, table=columns(), larger=pd.DataFrame))
    assert {*again.states().values()} == {"cached"}
    assert (decoded, checked) == ([], [])


def test_a_step_that_runs_is_given_what_met_its_contract(bench: Bench) -> None:
    contracts = {"table": columns(), "larger": columns()}
    ran(bench, pipeline(FRAME, SCALED, **contracts))
    assert ran(bench, pipeline(FRAME, SCALED, TOTAL, **contracts)).values["total"] == 6.0


@pytest.mark.parametrize("contract", [columns("int64"), columns(unique=True, checks=pa.Check(lambda a: a < 0)), int])
def test_a_contract_that_was_changed_since_is_checked_and_fails(bench: Bench, contract: Any) -> None:
    ran(bench, pipeline(FRAME, SCALED, larger=columns()))
    run = bench.run()
    with pytest.raises(StepFailed) as caught:
        run_tasks(pipeline(FRAME, SCALED, larger=contract), {"n": 3}, run.services)
    assert isinstance(caught.value.__cause__, ContractBroken)
    assert Ran(run, {}).states() == {"frame": "cached", "scaled": "failed"}


def test_a_result_that_was_kept_without_its_contracts_is_checked_as_ever(bench: Bench, decoded: list[str]) -> None:
    ran(bench, FRAMES)
    decoded.clear()
    assert {*ran(bench, pipeline(FRAME, SCALED, larger=columns())).states().values()} == {"cached"}
    assert decoded == ["arrow"]
    with pytest.raises(StepFailed):
        ran(bench, pipeline(FRAME, SCALED, larger=columns("int64")))


def test_a_contract_with_rules_in_code_is_checked_each_time(bench: Bench, decoded: list[str]) -> None:
    bound = [10.0]
    contract = columns(checks=pa.Check(lambda column: column < bound[0]))
    ran(bench, pipeline(FRAME, SCALED, larger=contract))
    decoded.clear()
    ran(bench, pipeline(FRAME, SCALED, larger=contract))
    assert decoded == ["arrow"]
    bound[0] = 3.0
    with pytest.raises(StepFailed):
        ran(bench, pipeline(FRAME, SCALED, larger=contract))


def test_an_input_under_another_name_has_that_names_contract(bench: Bench, decoded: list[str]) -> None:
    tasks = [Task(steps.pair, ["n"], ["pair"]), Task(steps.itself, ["pair"], ["other"])]
    ran(bench, pipeline(*tasks, pair=tuple, other=tuple))
    decoded.clear()
    again = ran(bench, pipeline(*tasks, pair=tuple, other=tuple))
    assert decoded == []
    assert again.values["pair"] is again.values["other"]
    with pytest.raises(StepFailed, match="other"):
        ran(bench, pipeline(*tasks, pair=tuple, other=dict))


def test_a_value_that_was_changed_in_place_since_is_checked_again(bench: Bench) -> None:
    made, grow = Task(steps.array, ["n"], ["numbers"]), Task(lambda numbers: numbers.fill(-1), ["numbers"], ["none"])
    contract = pa.SeriesSchema("float64")
    contract.validate = lambda value, **_: None if value[0] >= 0 else _refused()  # type: ignore[method-assign]
    ran(bench, pipeline(made, numbers=np.ndarray))
    with pytest.raises(StepFailed, match="numbers"):
        ran(bench, pipeline(made, grow, Task(steps.size, ["numbers"], ["size"]), numbers=contract))


def _refused() -> None:
    raise pa.errors.SchemaError(None, None, "it is negative")


# --- the same as when it is loaded at once --------------------------------------------------------------------------

ROWS = Task(steps.rows, ["n"], ["rows"])
SIZE = Task(steps.size, ["rows"], ["size"])
CASES: dict[str, tuple[list[Task], list[Task]]] = {
    "all are hits": ([FRAME, SCALED, TOTAL], []),
    "one follows that runs": ([FRAME, SCALED], [TOTAL]),
    "an input given again": ([ROWS, Task(steps.itself, ["rows"], ["other"])], [
        Task(steps.grow, ["other"], ["grown"]), SIZE,
    ]),
    "a part of an input": ([ROWS, Task(steps.first, ["rows"], ["part"])], [
        Task(steps.grow, ["part"], ["grown"]), Task(steps.itself, ["rows"], ["after"]),
    ]),
    "an input inside": ([ROWS, Task(steps.wrapped, ["rows"], ["whole"])], [Task(steps.grow, ["rows"], ["grown"])]),
    "one object twice": ([Task(steps.two, ["n"], ["one", "other"])], [
        Task(steps.grow, ["one"], ["grown"]), Task(steps.size, ["other"], ["size"]),
    ]),
    "a change in place, found": ([ROWS, Task(steps.grow, ["rows"], ["grown"])], [SIZE]),
    "a change in place, declared": ([ROWS, Task(steps.grow, ["rows"], ["grown"], changes=["rows"])], [SIZE]),
    "a change in place, made": ([ROWS, FRAME], [
        Task(steps.grow, ["rows"], ["grown"]), SIZE, Task(steps.total, ["table"], ["total"]),
    ]),
    "random numbers": ([FRAME, Task(steps.drawn, ["n"], ["numbers"])], [
        Task(steps.drawn, ["n"], ["further"], name="further"), Task(steps.total, ["table"], ["total"]),
    ]),
    "mapped": ([ROWS, Task(steps.doubled, ["rows"], ["mapped"], over="rows")], [
        Task(steps.size, ["mapped"], ["size"]),
    ]),
    "many at a time": ([FRAME, ROWS, Task(steps.texts, ["n"], ["texts"]), Task(steps.array, ["n"], ["array"])], [
        Task(steps.both, ["table", "array"], ["both"]), Task(steps.itself, {"given": "rows"}, ["rows"]),
    ]),
}  # fmt: skip
_TIMES = {"at", "id", "step_id", "run", "from_run", "seconds", "parent_id"}


def plain(event: Any) -> Any:
    if isinstance(event, dict):
        return {name: plain(item) for name, item in event.items() if name not in _TIMES}
    return [plain(item) for item in event] if isinstance(event, list) else event


@pytest.mark.parametrize("how", ["cached", "resumed"])
@pytest.mark.parametrize("case", CASES)
def test_late_or_at_once_values_records_and_generators_are_the_same(
    bench: Bench, case: str, how: str, at_once: Callable[[], None], tmp_path: Path
) -> None:
    first, then = CASES[case]
    found = []
    for number in range(2):
        random.seed(7)
        np.random.seed(7)  # the global generator is what is restored
        side = Bench(tmp_path / str(number))
        before = ran(side, pipeline(*first), cache=how == "cached")
        random.seed(7)
        resumes = before.run if how == "resumed" else None
        again = ran(side, pipeline(*first, *then), resumes, cache=how == "cached")
        values = {name: again.values[name] for name in again.values}
        alike = {(a, b) for a in values for b in values if values[a] is values[b] and not isinstance(values[a], int)}
        found.append((again.states(), plain(again.events), repr(values), alike, random.random(), shown(values)))
        at_once()
    assert found[0] == found[1]
    assert {"cached"} <= {*found[0][0].values()}


def shown(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which values hold the same object somewhere inside."""
    inside = {name: {id(one) for one in value if isinstance(one, list)} for name, value in values.items()
              if isinstance(value, list)}  # fmt: skip
    return [(a, b) for a in inside for b in inside if inside[a] & inside[b]]


def test_a_result_that_holds_an_input_holds_the_one_that_is_here(bench: Bench) -> None:
    tasks = [ROWS, Task(steps.wrapped, ["rows"], ["whole"])]
    ran(bench, pipeline(*tasks))
    again = ran(bench, pipeline(*tasks, Task(steps.grow, ["rows"], ["grown"])))
    assert again.states() == {"rows": "cached", "wrapped": "cached", "grow": "done"}
    assert again.values["whole"]["held"] is again.values["rows"]
    assert again.values["whole"]["held"][-1] == 99


def test_what_was_found_is_loaded_before_the_generators_are_set(bench: Bench, decoded: list[str]) -> None:
    """Modules that loading a value imports bring generators along, and only those that are there can be set."""
    tasks = [FRAME, Task(steps.drawn, ["n"], ["numbers"])]
    random.seed(3)
    ran(bench, pipeline(*tasks))
    after = random.random()
    decoded.clear()
    random.seed(3)
    again = ran(bench, pipeline(*tasks))
    assert {*again.states().values()} == {"cached"}
    assert random.random() == after
    assert decoded.index("arrow") < decoded.index("pickle")


def test_one_warning_less_or_more_tells_nobody_how_it_was_loaded(
    bench: Bench, at_once: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = ran(bench, FRAMES).path(bench, "scaled", "larger")
    told = []
    for _ in range(2):
        damage(path)
        caplog.clear()
        ran(bench, FRAMES)
        told.append([r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING])
        at_once()
    assert told[0] == told[1]
    assert len(told[0]) == 1


def test_a_value_from_a_folder_that_others_can_write_to_is_a_miss(bench: Bench) -> None:
    made = pipeline(Task(steps.texts, ["n"], ["texts"]))
    ran(bench, made)
    assert isinstance(bench.values, DiskStore)
    bench.values.root.chmod(0o777)
    assert ran(bench, made).states() == {"texts": "done"}
