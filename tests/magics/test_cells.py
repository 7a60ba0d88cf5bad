"""What `%%step` does to a cell, in a real shell."""

from __future__ import annotations

import re
from typing import Any

import pytest


def steps(events: Any) -> list[tuple[str, str]]:
    return [(e["step"], e["state"]) for e in events.of("step_finished")]


def test_inputs_and_outputs_of_a_marked_cell_are_read_from_its_code(shell: Any, events: Any) -> None:
    shell.run("base = 10")
    shell.run("%%step load\nrows = [base, base + 1]\nscratch = None")
    shell.run("%%step add\ntotal = sum(rows)")
    assert shell.names["total"] == 21
    assert list(events.last("step_started", "load")["inputs"]) == ["base"]
    assert "rows" in events.last("step_finished", "load")["outputs"]
    assert list(events.last("step_started", "add")["inputs"]) == ["rows"]
    assert list(events.last("step_finished", "add")["outputs"]) == ["total"]


def test_a_declared_mark_says_what_goes_in_and_comes_out(shell: Any, events: Any) -> None:
    shell.run("base = 10")
    shell.run("%%step load(base) -> rows\nhidden = base\nrows = [hidden]")
    assert list(events.last("step_started")["inputs"]) == ["base"]
    assert list(events.last("step_finished")["outputs"]) == ["rows"]


def test_modules_functions_and_classes_that_a_cell_reads_are_no_inputs(shell: Any, events: Any) -> None:
    shell.run("import math\ndef half(x): return x / 2\nclass Box: pass\nn = 4")
    shell.run("%%step work\nresult = half(math.sqrt(n)); box = Box()")
    assert list(events.last("step_started")["inputs"]) == ["n"]


def test_an_input_that_a_step_made_is_told_by_its_stored_digest_until_it_is_replaced(shell: Any, events: Any) -> None:
    shell.run("%%step load\nrows = [1, 2]")
    made = events.last("step_finished", "load")["outputs"]["rows"]["digest"]
    shell.run("%%step add\ntotal = sum(rows)")
    assert events.last("step_started", "add")["inputs"]["rows"]["digest"] == made
    shell.run("rows = [3]")
    shell.run("%%step add\ntotal = sum(rows)")
    assert events.last("step_started", "add")["inputs"]["rows"]["digest"] != made


def test_a_step_tells_the_prompt_number_of_its_cell(shell: Any, events: Any) -> None:
    shell.run("x = 1")
    result = shell.run("%%step load\ny = x")
    assert events.last("step_started")["attributes"]["cell"] == result.execution_count


def test_an_unmarked_cell_is_no_step(shell: Any, events: Any) -> None:
    shell.run("x = 1")
    assert events.all == []


def test_the_last_expression_is_the_cells_result_and_no_output(shell: Any, events: Any) -> None:
    result = shell.run("%%step load\nrows = [1]\nlen(rows)")
    assert result.result == 1
    assert shell.names["_"] == 1
    assert list(events.last("step_finished")["outputs"]) == ["rows"]


def test_a_cell_that_awaits_is_a_step_too(shell: Any, events: Any) -> None:
    shell.run("%%step load\nimport asyncio\nawait asyncio.sleep(0)\nrows = [1]")
    assert list(events.last("step_finished")["outputs"]) == ["rows"]


def test_a_cell_magic_below_the_mark_works_as_ever(shell: Any, events: Any, capsys: Any) -> None:
    shell.run("%%step load\n%%time\nrows = [1, 2]")
    assert shell.names["rows"] == [1, 2]
    assert "time" in capsys.readouterr().out
    assert list(events.last("step_finished")["outputs"]) == ["rows"]


@pytest.mark.parametrize("magic", ["%%time", "%%capture out"])
def test_an_error_below_a_magic_fails_the_step(shell: Any, events: Any, magic: str) -> None:
    assert "ZeroDivisionError" in shell.refused(f"%%step load\n{magic}\nrows = 1 / 0")
    assert events.last("step_finished")["state"] == "failed"


def test_a_mark_below_another_magic_is_refused(shell: Any, events: Any) -> None:
    message = shell.refused("%%time\n%%step load\nrows = [1]")
    assert "'%%step load' must be the first line of its cell" in message
    assert "rows" not in shell.names
    assert events.all == []


def counted(shell: Any) -> list[Any]:
    """Give the shell a function `count` that remembers its calls in a list outside it, and in `count.calls`.

    A function is code, so a retry does not put it back to what it was.
    """
    told: list[Any] = []

    def count(what: Any = None) -> None:
        told.append(what)
        count.calls = len(told)  # type: ignore[attr-defined]  # read by the cells

    shell.names["count"] = count
    return told


def test_retries_start_from_the_names_as_they_were(shell: Any, events: Any, waits: list[float]) -> None:
    shell.run("n = 1")
    calls = counted(shell)
    shell.run(
        "%%step load --retries 2 --backoff 3\n"
        "count((n, 'fresh' in dir()))\n"
        "n = 100\nfresh = 1\n"
        "if count.calls < 3: raise OSError('again')\n"
        "rows = [n]"
    )
    assert calls == [(1, False)] * 3
    assert shell.names["rows"] == [100]
    assert waits == [3, 6]
    assert events.last("step_finished")["attempts"] == 3


def test_a_retry_finds_inputs_and_random_numbers_as_they_were(shell: Any) -> None:
    shell.run("import random; random.seed(7); first = random.random(); random.seed(7)\nrows = [1]; alias = rows")
    calls = counted(shell)
    shell.run(
        "%%step load --retries 2\n"
        "count((list(rows), random.random() == first))\n"
        "rows.append(2)\n"
        "if count.calls < 3: raise OSError('again')"
    )
    assert calls == [([1], True)] * 3
    assert shell.names["alias"] is shell.names["rows"]
    assert shell.names["rows"] == [1, 2]


def test_only_named_exceptions_are_tried_again_as_the_notebook_means_them(shell: Any) -> None:
    shell.run("import json\nclass TooSlow(Exception): pass")
    calls = counted(shell)
    shell.run(
        "%%step load --retries 2 --retry-on json.JSONDecodeError,TooSlow\n"
        "count()\nif count.calls == 1: raise TooSlow\nif count.calls == 2: json.loads('{')"
    )
    assert len(calls) == 3
    calls = counted(shell)
    assert "KeyError" in shell.refused("%%step load --retries 2 --retry-on TooSlow\ncount()\nraise KeyError")
    assert len(calls) == 1


def test_a_fallback_stands_in_for_a_cell_and_says_so(shell: Any, events: Any, capsys: Any) -> None:
    shell.run("n = 3\ndef last(n): return n * 10, []\nempty = [0]")
    shell.run("%%step load --retries 1 --fallback last\na = n\n_left = 1\nb = 1 / 0")
    assert shell.names["a"] == 30
    assert shell.names["b"] == []
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out
    assert "step 'load' failed (ZeroDivisionError: division by zero); its fallback stands in" in shown.out + shown.err
    end = events.last("step_finished")
    assert (end["state"], end["fallback"], end["attempts"]) == ("done", True, 2)
    shell.run("%%step rows --fallback empty\nrows = missing_function()")
    shell.run("rows.append(1)")
    assert shell.names["empty"] == [0]


def test_a_fallback_that_gives_too_few_outputs_fails_the_cell(shell: Any, events: Any) -> None:
    shell.run("one = 1")
    assert "gave one int for a, b. Give a tuple of 2" in shell.refused("%%step load --fallback one\na = 1\nb = 1 / 0")
    assert events.last("step_finished")["state"] == "failed"


def test_the_key_is_visible_in_a_cell_and_the_same_for_its_attempts(shell: Any) -> None:
    shell.run("from p2p import idempotency_key")
    calls = counted(shell)
    shell.run("%%step pay --retries 1\ncount(idempotency_key())\nif count.calls < 2: raise OSError")
    assert calls[0] == calls[1]


def test_only_the_last_attempts_traceback_is_shown(shell: Any, capsys: Any) -> None:
    counted(shell)
    shell.run("%%step load --retries 1\ncount()\nif count.calls < 2: raise OSError('first')")
    assert "OSError" not in capsys.readouterr().out
    counted(shell)
    shell.try_run("%%step load --retries 1\ncount()\nraise OSError(f'number {count.calls}')")
    shown = capsys.readouterr().out
    assert "number 2" in shown
    assert "number 1" not in shown


def test_a_failing_cell_shows_its_own_line_and_nothing_of_p2p(shell: Any, capsys: Any) -> None:
    shell.try_run("%%step load\nx = 1\nrows = x / 0")
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert "rows = x / 0" in shown
    assert "line 3" in shown or "----> 3" in shown
    assert "p2p" not in shown


def test_a_step_that_takes_too_long_is_stopped_and_said_in_one_paragraph(shell: Any, capsys: Any) -> None:
    message = shell.refused("%%step load --timeout 0.05\nwhile True: pass")
    assert message.startswith("StepTimeout: Step 'load' was stopped")
    assert "Traceback" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%%step add(row) -> total\nhit = 1\ntotal = row", "'row', which no cell has defined. Closest name: 'rows'"),
        ("%%step add(rows, other) -> total\nhit = 1\ntotal = rows", "declares the input 'other', which its cell never"),
        ("%%step add(other) -> total\nhit = 1\ntotal = other, rows", "reads 'rows', which its mark does not declare"),
        ("%%step add(rows) -> totl\nhit = 1\ntotal = rows", "the output 'totl', which its cell never assigns. Closest"),
        ("%%step 2fast\nhit = 1", "the step name '2fast' is not a Python name"),
        ("%%step\nhit = 1", "the step has no name"),
        ("%%step add --fallback othr\nhit = 1", "has the fallback 'othr', which no cell has defined. Closest"),
        ("%%step add --fallback last\nhit = 1", "its fallback 'last' takes 'year', which the step does not read"),
        ("%%step add --retry 2\nhit = 1", "there is no option `--retry`. Did you mean `--retries`?"),
    ],
)  # fmt: skip
def test_a_mark_that_does_not_fit_its_cell_is_refused_before_anything_runs(
    shell: Any, events: Any, cell: str, message: str
) -> None:
    shell.run("other = 1\ndef last(year): return year")
    shell.run("%%step load\nrows = [1]")
    before = len(events.all)
    refusal = shell.refused(cell)
    assert refusal.startswith("AnalysisError: ")
    assert message in refusal
    assert "hit" not in shell.names
    assert len(events.all) == before


def test_a_refused_cell_does_not_refuse_the_next_one(shell: Any) -> None:
    shell.refused("%%step add(nothing)\nx = nothing")
    shell.run("y = 1")
    shell.run("%%step add\nz = y")
    assert shell.names["z"] == 1


def test_a_cell_that_does_not_parse_shows_its_own_syntax_error(shell: Any, events: Any) -> None:
    assert shell.refused("%%step load\nx = = 1").startswith("SyntaxError")
    assert events.all == []
    shell.run("%%step load\nx = 1")
    assert steps(events) == [("load", "done")]


def test_a_function_step_is_named_by_the_cell_that_calls_it(shell: Any, events: Any) -> None:
    shell.run("from p2p import step\n@step\ndef split(xs):\n    return xs[:1], xs[1:]\nnumbers = [1, 2, 3]")
    shell.run("head, tail = split(numbers)", "cell-1")
    assert list(events.last("step_started", "split")["inputs"]) == ["numbers"]
    assert list(events.last("step_finished", "split")["outputs"]) == ["head", "tail"]
    shell.run("a, b = split(tail)", "cell-2")
    assert list(events.last("step_finished", "split_2")["outputs"]) == ["a", "b"]
    shell.run("head, tail = split(numbers)", "cell-1")
    assert [name for name, _ in steps(events)] == ["split", "split_2", "split"]


def test_a_function_step_called_in_a_marked_cell_is_its_child(shell: Any, events: Any) -> None:
    shell.run("from p2p import step\n@step\ndef one():\n    return 1")
    shell.run("%%step outer\nx = one() + one()")
    assert [(e["step"], e["parent"]) for e in events.of("step_finished")][-1] == ("outer", "")
    assert {e["parent"] for e in events.of("step_finished")[:-1]} == {"outer"}


def test_p2p_run_gives_the_open_runs_id_and_new_ends_it(shell: Any) -> None:
    assert shell.run("%p2p id").result == "run-1"
    shell.run("%p2p new")
    assert shell.session.ended == 1
    assert "Did you mean `%p2p new`" in shell.refused("%p2p nwe")


def test_after_unloading_a_mark_is_not_known_and_plain_cells_run(shell: Any, events: Any) -> None:
    shell.run("import p2p; p2p.unload_ipython_extension(get_ipython())")
    shell.run("x = 1")
    result = shell.try_run("%%step load\ny = 1")
    assert not result.success or "y" not in shell.names
    assert events.all == []


def test_loading_twice_changes_nothing(shell: Any, events: Any) -> None:
    shell.run("import p2p; p2p.load_ipython_extension(get_ipython())")
    shell.run("%%step load\nx = 1")
    assert steps(events) == [("load", "done")]


def test_an_interrupt_between_two_statements_is_no_failure_to_retry(
    shell: Any, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPython itself catches what comes while it goes from one statement to the next."""
    codes: list[Any] = []

    async def interrupted(code: Any, *_args: Any, **_kwargs: Any) -> bool:
        codes.append(code)
        raise KeyboardInterrupt

    monkeypatch.setattr(shell.shell, "run_code", interrupted)
    assert "KeyboardInterrupt" in shell.refused("%%step load --retries 3\nx = 1\ny = 2")
    assert len(codes) == 1
    assert events.last("step_finished")["error_type"] == "KeyboardInterrupt"
