from __future__ import annotations

import textwrap

import pytest

from p2p.analysis import StepCall, StepFunction, step_calls, step_functions
from p2p.errors import AnalysisError
from p2p.policy import Named


def one_function(source: str) -> StepFunction:
    (found,) = step_functions(textwrap.dedent(source))
    return found


def one_call(source: str) -> StepCall:
    (found,) = step_calls(textwrap.dedent(source), {"train"})
    return found


def test_a_step_function_in_full() -> None:
    found = one_function("""
        import p2p

        @step(retries=2, timeout=60)
        @other
        async def train(tidy: "Frame", /, share=0.2, *, seed: int = 1, kind):  # trains
            # a comment stays
            model, scores = fit(tidy)
            return model, scores
    """)
    assert (found.name, found.is_async, found.lineno, found.end_lineno) == ("train", True, 4, 9)
    assert found.parameters == ("tidy", "share", "seed", "kind")
    assert found.optional == ("share", "seed")
    assert found.policy_source == {"retries": 2, "timeout": 60}
    assert found.returns == ("model", "scores")
    assert found.source.splitlines() == [
        "@other",
        'async def train(tidy: "Frame", /, share=0.2, *, seed: int = 1, kind):  # trains',
        "    # a comment stays",
        "    model, scores = fit(tidy)",
        "    return model, scores",
    ]


@pytest.mark.parametrize("decorator", ["step", "step()", "p2p.step", "p2p.step(\n    retries=1,\n)"])
def test_every_form_of_the_decorator_is_found_and_taken_away(decorator: str) -> None:
    assert one_function(f"@{decorator}\ndef f(a): return a").source == "def f(a): return a\n"


@pytest.mark.parametrize(
    "source",
    [
        "def f(): pass",
        "@other\ndef f(): pass",
        "@a.step\ndef f(): pass",
        "@step.x\ndef f(): pass",
        "@step\nclass C: pass",
        "if a:\n    @step\n    def f(): pass",
        "class C:\n    @step\n    def f(self): pass",
    ],
)
def test_other_functions_are_no_steps(source: str) -> None:
    assert step_functions(source) == ()


@pytest.mark.parametrize(
    ("body", "returns"),
    [
        ("return a", ("a",)),
        ("return a, b", ("a", "b")),
        ("return (a, b)", ("a", "b")),
        ("return a + b", None),
        ("return a, b + 1", None),
        ("return a,", None),
        ("return [a, b]", None),
        ("return", None),
        ("pass", None),
        ("if a:\n        return None\n    return b", ("b",)),
        ("def g():\n        return b\n    return a", ("a",)),
        ("def g():\n        return b", None),
        ("return lambda: a", None),
    ],
)
def test_names_of_what_is_returned(body: str, returns: tuple[str, ...] | None) -> None:
    assert one_function(f"@step\ndef f(a, b):\n    {body}").returns == returns


def test_what_the_decorator_says_in_other_ways_than_literals_is_told() -> None:
    found = one_function("@step(retries=N, timeout=-1.5, cache=False, tries=1, fallback=f(), **more)\ndef f(): pass")
    assert found.policy_source == {"timeout": -1.5, "cache": False}
    assert found.unclear == ("retries", "tries", "fallback", "**")


def test_exceptions_and_a_fallback_are_told_by_their_names() -> None:
    found = one_function("@step(retry_on=(OSError, rq.Timeout, 'a.B'), fallback=last)\ndef f(): pass")
    assert found.policy_source == {"retry_on": ("OSError", "rq.Timeout", "a.B"), "fallback": Named("last")}
    assert one_function("@step(retry_on=OSError, fallback=None)\ndef f(): pass").policy_source == {
        "retry_on": ("OSError",), "fallback": None,
    }  # fmt: skip


def test_stars_in_the_head_are_told() -> None:
    assert one_function("@step\ndef f(a, *rest): pass").has_star
    assert one_function("@step\ndef f(a, **rest): pass").parameters == ("a",)
    assert not one_function("@step\ndef f(a): pass").has_star


def test_lines_are_those_of_the_cell_despite_magics() -> None:
    assert one_function("%matplotlib inline\n!ls \\\n -l\n@step\ndef f(): pass").lineno == 4


@pytest.mark.parametrize(
    ("source", "arguments", "targets"),
    [
        ("train()", (), ()),
        ("model = train(tidy)", ("tidy",), ("model",)),
        ("model: Model = train(tidy)", ("tidy",), ("model",)),
        ("a, b = train(tidy, share)", ("tidy", "share"), ("a", "b")),
        ("(a, b) = train(tidy, share=s)", ("tidy", "s"), ("a", "b")),
        ("[a, b] = train(tidy)", ("tidy",), ("a", "b")),
        ("x = await train(tidy)", ("tidy",), ("x",)),
        ("await train(tidy)", ("tidy",), ()),
        ("model = train(\n    tidy,  # the table\n    share,\n)", ("tidy", "share"), ("model",)),
    ],
)
def test_statements_with_plain_names_are_simple(
    source: str, arguments: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    call = one_call(source)
    assert (call.simple, call.why, call.nested_in) == (True, "", "")
    assert (call.argument_names, call.targets) == (arguments, targets)
    assert (call.lineno, call.end_lineno) == (1, source.count("\n") + 1)
    assert call.awaited is ("await" in source)


def test_arguments_are_given_with_keyword_and_text() -> None:
    call = one_call("m = train(tidy, 1 + 2, *rest, share=0.2, seed=s, **more)")
    assert call.arguments == (
        (None, "tidy"),
        (None, "1 + 2"),
        (None, "*rest"),
        ("share", "0.2"),
        ("seed", "s"),
        (None, "**more"),
    )
    assert call.argument_names == ("tidy", None, None, None, "s", None)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("m = train(tidy, 0.2)", "its argument `0.2` is not a plain name"),
        ("m = train(*tidy)", "its argument `*tidy` is not a plain name"),
        ("m = train(**tidy)", "its argument `**tidy` is not a plain name"),
        ("m = n = train(tidy)", "its result is assigned to more than one target"),
        ("m['a'] = train(tidy)", "its result is not assigned to plain names"),
        ("m, = train(tidy)", "its result is not assigned to plain names"),
        ("m, *n = train(tidy)", "its result is not assigned to plain names"),
        ("m += train(tidy)", "inside a bigger expression"),
        ("m = train(tidy)[0]", "inside a bigger expression"),
        ("print(train(tidy))", "inside a bigger expression"),
        ("for x in xs:\n    m = train(x)", "inside a for loop"),
        ("for x in train(xs):\n    pass", "inside a for loop"),
        ("while True:\n    if x:\n        train(x)", "inside a while loop"),
        ("if x:\n    m = train(x)", "inside an if"),
        ("with x:\n    m = train(x)", "inside a with block"),
        ("try:\n    m = train(x)\nexcept E:\n    pass", "inside a try block"),
        ("match x:\n    case 1:\n        train(x)", "inside a match"),
        ("def f():\n    return train(x)", "inside function 'f'"),
        ("class C:\n    m = train(x)", "inside class 'C'"),
        ("f = lambda: train(x)", "inside a lambda"),
        ("m = [train(x) for x in xs]", "inside a comprehension"),
        ("m = train(x) if x else None", "inside a conditional expression"),
    ],
)
def test_any_other_call_is_not_simple_and_says_why(source: str, why: str) -> None:
    call = one_call(source)
    assert (call.function, call.simple, call.why) == ("train", False, why)


def test_the_outermost_construct_is_named() -> None:
    assert one_call("def f():\n    for x in xs:\n        train(x)").nested_in == "function 'f'"


def test_calls_within_a_call_are_all_found() -> None:
    outer, inner = step_calls("m = train(train(x))", {"train"})
    assert (outer.why, inner.why) == ("its argument `train(x)` is not a plain name", "inside a bigger expression")


def test_only_known_functions_count_in_the_order_of_the_source() -> None:
    source = "%%step a\nx = other(y)\nt = clean(x)\nm = obj.train(t)\nm = train(t)"
    assert [(c.function, c.lineno) for c in step_calls(source, ["train", "clean"])] == [("clean", 3), ("train", 5)]


@pytest.mark.parametrize("read", [step_functions, lambda source: step_calls(source, {"f"})])
def test_no_python_is_refused(read: object) -> None:
    with pytest.raises(AnalysisError, match="Line 1"):
        read("x = (")  # type: ignore[operator]
