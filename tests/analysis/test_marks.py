from __future__ import annotations

import pytest

from p2p.analysis import Mark, is_step_mark, parse_mark, split_mark
from p2p.errors import AnalysisError
from p2p.policy import Named, Policy


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("%%step load", Mark("load")),
        ("%%step   load  ", Mark("load")),
        ("%%step load()", Mark("load", inputs=())),
        ("%%step load() -> flights", Mark("load", (), ("flights",))),
        ("%%step load -> flights", Mark("load", None, ("flights",))),
        ("%%step load->flights", Mark("load", None, ("flights",))),
        ("%%step split(tidy) -> X, y", Mark("split", ("tidy",), ("X", "y"))),
        ("%%step split ( a, b, ) -> (X, y)", Mark("split", ("a", "b"), ("X", "y"))),
        ("%%step show(tidy) -> ()", Mark("show", ("tidy",), ())),
        ("%%step show(tidy) -> None", Mark("show", ("tidy",), ())),
        ("%%step fix(df) -> df", Mark("fix", ("df",), ("df",))),
        ("%%step load --retries 2", Mark("load", policy=Policy(retries=2))),
        (
            "%%step f --retry-on OSError, rq.Timeout --fallback last --no-cache --files=a.csv,b.csv --give-up 9",
            Mark(
                "f",
                policy=Policy(
                    retry_on=("OSError", "rq.Timeout"),
                    fallback=Named("last"),
                    cache=False,
                    files=("a.csv", "b.csv"),
                    give_up=9.0,
                ),
            ),
        ),
        ("%%step f --jitter 0 --max-delay 5", Mark("f", policy=Policy(jitter=0.0, max_delay=5.0))),
        ("%%step load --timeout=60", Mark("load", policy=Policy(timeout=60.0))),
        (
            "%%step clean(flights) -> tidy  --retries 2 --timeout 60 --backoff 0.5",
            Mark("clean", ("flights",), ("tidy",), Policy(retries=2, timeout=60.0, backoff=0.5)),
        ),
        ("%%step load  # the raw table", Mark("load")),
        ("%%step größe -> maß", Mark("größe", None, ("maß",))),
        ("%%step match", Mark("match")),
        ("%%step \N{LATIN SMALL LIGATURE FI}t", Mark("fit")),  # as Python reads the same letters
    ],
)
def test_every_form_of_a_mark(line: str, mark: Mark) -> None:
    assert split_mark(line + "\nx = 1")[0] == mark
    assert parse_mark(line.removeprefix("%%step")) == mark


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("%%step load\nx = 1\ny = 2", "\nx = 1\ny = 2"),
        ("\n  \n%%step load\nx = 1\n", "\n  \n\nx = 1\n"),
        ("%%step load", ""),
        ("%%step load\r\nx = 1\r\n", "\r\nx = 1\r\n"),
    ],
)
def test_the_body_keeps_its_line_numbers(source: str, body: str) -> None:
    mark, rest = split_mark(source)
    assert mark == Mark("load")
    assert rest == body


@pytest.mark.parametrize(
    "source", ["", "x = 1", "%%stepper load", "%step load", "%%time\nx = 1", "x = 1\n%%step load", "# %%step load"]
)
def test_what_is_no_mark_is_left_as_it_is(source: str) -> None:
    assert not is_step_mark(source)
    assert split_mark(source) == (None, source)


@pytest.mark.parametrize("source", ["%%step load", "\n\n%%step", "  %%step load\n  x = 1", "%%step\tload"])
def test_a_mark_is_seen_even_where_it_is_wrong(source: str) -> None:
    assert is_step_mark(source)


@pytest.mark.parametrize(
    ("line", "problem", "cure"),
    [
        ("%%step", "has no name", "Write `%%step name`"),
        ("%%step -> x", "has no name", "Write `%%step name`"),
        ("%%step --retries 2", "has no name", "Write `%%step name`"),
        ("%%step (a) -> b", "has no name", "Write `%%step name`"),
        ("%%step 2nd", "step name '2nd' is not a Python name", "Use letters"),
        ("%%step load-data", "step name 'load-data' is not a Python name", "Call it 'load_data'"),
        ("%%step class", "step name 'class' is a keyword", "Call it 'class_'"),
        ("%%step _load", "'_load' starts with an underscore", "Call it 'load'"),
        ("%%step load data", "'data' after the name 'load'", "Write `%%step name`"),
        ("%%step load(a", "is not understood|is not a Python name", ""),
        ("%%step f(a.b)", "input 'a.b' is not a Python name", "Call it 'a_b'"),
        ("%%step f(a, , b)", "input '' is not a Python name", "Use letters"),
        ("%%step f(a, a)", "input 'a' is named twice", "Name it once"),
        ("%%step f -> x, x", "output 'x' is named twice", "Name it once"),
        ("%%step f -> for", "output 'for' is a keyword", "Call it 'for_'"),
        ("%%step f ->", "nothing is named after `->`", "Name the outputs"),
        ("%%step f --retry 2", "no option `--retry`", "Did you mean `--retries`"),
        ("%%step f -retries 2", "no option `-retries`", "Did you mean `--retries`"),
        ("%%step f --zzz 2", "no option `--zzz`", "The options are `--retries`, `--timeout`, `--backoff`"),
        ("%%step f --retries 2 3", "'3' among the options", "The options are"),
        ("%%step f --no-cache=1", "`--no-cache` takes no value", "alone"),
        ("%%step f --fallback 3", "`--fallback` is given '3'", "the name of a value or function"),
        ("%%step f --retry-on SystemExit", "must name exceptions", "Change the option"),
        ("%%step f --retries two", "`--retries` is given 'two'", "Give a whole number"),
        ("%%step f --retries 1.5", "`--retries` is given '1.5'", "Give a whole number"),
        ("%%step f --timeout 60s", "`--timeout` is given '60s'", "Give a number of seconds"),
        ("%%step f --timeout nan", "`--timeout` is given 'nan'", "Give a number of seconds"),
        ("%%step f --timeout", "`--timeout` has no value", "Give a number of seconds"),
        ("%%step f --timeout 0", "timeout must be more than 0 s", "Change the option"),
        ("%%step f --retries -1", "retries must be 0 or more", "Change the option"),
        ("%%step f --retries 1 --retries 2", "`--retries` is given twice", "Give it once"),
    ],
)
def test_a_bad_mark_is_refused_with_its_problem_and_cure(line: str, problem: str, cure: str) -> None:
    with pytest.raises(AnalysisError, match=problem) as caught:
        split_mark("\n" + line + "\nx = 1")
    assert cure in caught.value.cure
    assert caught.value.fields == {"line": 2}
