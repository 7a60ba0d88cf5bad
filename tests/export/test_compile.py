"""The plan of a module: which statement of a notebook goes where, and what is refused before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from p2p.errors import AnalysisError
from p2p.export.compile import compile_notebook
from p2p.export.emit import pipeline_file
from p2p.export.plan import Plan, PlannedStep
from p2p.notebook import parameters_of
from p2p.policy import Named, Policy
from tests.building import read_built

LOAD = "%%step load\nrows = [3, 1, 2]"
STEP = "from p2p import step"
Planner = Callable[..., Plan]


@pytest.fixture
def plan(tmp_path: Path) -> Planner:
    def of(*cells: str, params: str = "") -> Plan:
        notebook = read_built(tmp_path, *cells, params=params)
        return compile_notebook(notebook, "sales", [p["name"] for p in parameters_of(notebook).describe()])

    return of


def wiring(plan: Plan) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(step.name, step.takes, step.outputs) for step in plan.steps]


def step_named(plan: Plan, name: str) -> PlannedStep:
    return next(step for step in plan.steps if step.name == name)


def test_names_wire_the_steps_and_parameters_are_inputs(plan: Planner) -> None:
    made = plan(LOAD, "%%step scale\nout = rows[0] * factor", params="factor: int = 2")
    assert wiring(made) == [("load", (), ("rows",)), ("scale", ("rows", "factor"), ("out",))]


@pytest.mark.parametrize(
    "helper",
    [
        "def double(x):\n    return 2 * x",
        "class double(int):\n    pass",
        "double = lambda x: 2 * x",
        "async def double(x):\n    return 2 * x",
    ],
)
def test_a_helper_that_reads_no_data_goes_to_the_top_of_the_module(plan: Planner, helper: str) -> None:
    made = plan(helper, LOAD, "%%step use\nout = double(rows[0])")
    assert [s.source for s in made.helpers] == [helper]
    assert wiring(made)[1] == ("use", ("rows",), ("out",))


def test_a_constant_and_what_it_needs_go_to_the_top_with_their_comments(plan: Planner) -> None:
    made = plan(
        "import datetime\n\n# the first day\nSTART = datetime.date(2024, 1, 1)\nYEAR = START.year  # for the title",
        "%%step use\nout = YEAR",
    )
    assert [s.source for s in made.imports] == ["import datetime"]
    assert [s.source for s in made.helpers] == [
        "# the first day\nSTART = datetime.date(2024, 1, 1)", "YEAR = START.year  # for the title"
    ]  # fmt: skip
    assert wiring(made) == [("use", (), ("out",))]


def test_what_a_helper_reads_when_it_is_called_comes_along_wherever_it_stands(plan: Planner) -> None:
    made = plan(
        "def gross(x):\n    return x * rate()", "def rate():\n    return VAT", "VAT = 1.2", "%%step use\nout = gross(3)"
    )
    assert [s.names.writes[0] for s in made.helpers] == ["gross", "rate", "VAT"]


def test_a_helper_that_reads_data_goes_into_the_step_that_uses_it(plan: Planner) -> None:
    made = plan(LOAD, "def share(x):\n    return x / sum(rows)", "%%step use\nout = share(3)")
    use = step_named(made, "use")
    assert made.helpers == ()
    assert [s.source for s in use.local] == ["def share(x):\n    return x / sum(rows)"]
    assert use.takes == ("rows",)


def test_an_unmarked_cell_that_computes_with_data_becomes_a_step(plan: Planner) -> None:
    made = plan(LOAD, "top = sorted(rows)[:2]\nprint(top)", "%%step use\nout = sum(top)")
    assert wiring(made)[1] == ("prepare_top", ("rows",), ("top",))
    assert step_named(made, "prepare_top").implicit
    assert step_named(made, "prepare_top").source == "top = sorted(rows)[:2]"


@pytest.mark.parametrize("change", ["rows.append(4)", "rows += [4]", "rows[0] = 9", "del rows[0]"])
def test_an_unmarked_cell_that_changes_data_is_not_lost(plan: Planner, change: str) -> None:
    made = plan(LOAD, change, "%%step use\nout = sum(rows)")
    assert wiring(made)[1] == ("prepare_rows", ("rows",), ("rows",))


def test_exploration_is_left_out_and_said_so(plan: Planner) -> None:
    made = plan(
        LOAD, "import os\nrows\nbig = [r for r in rows if r > 1]\nprint(os.name, big)", "%%step use\nout = sum(rows)"
    )
    assert [step.name for step in made.steps] == ["load", "use"]
    assert made.imports == ()
    left = [(part.cell, part.what) for part in made.left_out]
    assert left == [(2, "import os"), (2, "big = [r for r in rows if r > 1]"), (2, "print(os.name, big)")]


def test_a_loop_variable_that_a_later_step_reads_is_an_output(plan: Planner) -> None:
    made = plan("%%step load\nfor last in [1, 2]:\n    total = last", "%%step use\nout = total + last")
    assert wiring(made) == [("load", (), ("total", "last")), ("use", ("total", "last"), ("out",))]


def test_a_loop_variable_that_nothing_reads_is_no_output(plan: Planner) -> None:
    made = plan("%%step load\nfor last in [1, 2]:\n    total = last", "%%step use\nout = total")
    assert wiring(made)[0] == ("load", (), ("total",))


def test_an_underscored_name_that_a_later_step_reads_is_an_output(plan: Planner) -> None:
    made = plan("%%step load\n_raw = [1]\nrows = _raw * 2", "%%step use\nout = _raw + rows")
    assert wiring(made)[0] == ("load", (), ("rows", "_raw"))


def test_imports_and_definitions_in_a_step_cell_go_to_the_top_when_another_step_needs_them(plan: Planner) -> None:
    made = plan(
        "%%step load\nimport math\n\ndef half(x):\n    return x / 2\n\nrows = [half(math.pi)]",
        "%%step use\nout = half(math.floor(rows[0]))",
    )
    assert [s.source for s in made.imports] == ["import math"]
    assert [s.source for s in made.helpers] == ["def half(x):\n    return x / 2"]
    assert step_named(made, "load").source == "rows = [half(math.pi)]"


def test_a_step_s_own_imports_go_to_the_top(plan: Planner) -> None:
    made = plan("%%step load\nfrom math import sqrt\nroot = sqrt(4)")
    assert [s.source for s in made.imports] == ["from math import sqrt"]
    assert step_named(made, "load").source == "root = sqrt(4)"


def test_imports_that_give_one_name_two_meanings_stay_in_their_steps(plan: Planner) -> None:
    made = plan(
        "%%step load\nfrom json import loads\na = loads('1')", "%%step use\nfrom pickle import loads\nb = loads(a)"
    )
    assert made.imports == ()
    assert step_named(made, "load").source == "from json import loads\na = loads('1')"
    assert step_named(made, "use").source == "from pickle import loads\nb = loads(a)"


def test_an_import_whose_name_is_a_value_elsewhere_stays_in_its_step(plan: Planner) -> None:
    made = plan("%%step load\nfrom math import e\na = e", "%%step use\ne = a + 1")
    assert made.imports == ()
    assert step_named(made, "load").source == "from math import e\na = e"


def test_a_name_with_a_second_meaning_keeps_the_first_for_the_steps_above_it(plan: Planner) -> None:
    made = plan("RATE = 1", LOAD, "%%step early\na = rows[0] * RATE", "RATE = 2", "%%step late\nb = rows[0] * RATE")
    assert [s.source for s in made.helpers] == ["RATE = 1"]
    assert [s.source for s in step_named(made, "late").local] == ["RATE = 2"]
    assert step_named(made, "early").local == ()


@pytest.mark.parametrize(
    "setup",
    [
        "import random\nrandom.seed(3)",
        "import warnings\nwarnings.filterwarnings('ignore')",
        "import decimal\ndecimal.getcontext().prec = 5",
        "import os\nos.environ['TZ'] = 'UTC'",
    ],
)
def test_a_statement_that_sets_something_up_is_kept_though_no_name_leads_to_it(plan: Planner, setup: str) -> None:
    made = plan(setup, LOAD)
    assert [s.source for s in (*made.imports, *made.setup)] == setup.splitlines()


def test_an_input_that_a_step_changes_is_an_output_too(plan: Planner) -> None:
    made = plan(LOAD, "%%step sort\nrows.sort()", "%%step use\nout = rows[0]")
    assert wiring(made)[1] == ("sort", ("rows",), ("rows",))


def test_a_function_step_that_is_called_twice_is_two_steps_of_one_function(plan: Planner) -> None:
    made = plan(
        STEP, "@step(retries=2)\ndef add(a, b):\n    return a + b", "%%step one\nk = 1", "x = add(k, k)\ny = add(x, k)"
    )
    assert wiring(made) == [("one", (), ("k",)), ("add", ("k", "k"), ("x",)), ("add_2", ("x", "k"), ("y",))]
    assert {step.function for step in made.steps[1:]} == {"add"}
    assert [step.policy for step in made.steps[1:]] == [Policy(retries=2)] * 2


def test_a_policy_keeps_all_its_options_with_the_names_that_hold_in_the_module(plan: Planner) -> None:
    made = plan(
        STEP, "import requests as rq\nfrom json import JSONDecodeError as Bad", "def last(): return 0",
        "%%step one --retries 2 --retry-on rq.Timeout,Bad,OSError --give-up 60 --fallback last --no-cache "
        "--files a.csv\n"
        "k = 1",
        "@step(retry_on=rq.Timeout, fallback=[], jitter=0)\ndef add(a):\n    return a", "x = add(k)",
    )  # fmt: skip
    assert step_named(made, "one").policy == Policy(
        retries=2, retry_on=("requests.Timeout", "json.JSONDecodeError", "OSError"), give_up=60.0,
        fallback=Named("last"), cache=False, files=("a.csv",),
    )  # fmt: skip
    assert step_named(made, "add").policy == Policy(retry_on="requests.Timeout", fallback=[], jitter=0)
    assert [s.source for s in made.helpers] == ["def last(): return 0"]
    wiring = pipeline_file(made, 1)
    assert "fallback=steps.last" in wiring
    assert 'retry_on=("requests.Timeout", "json.JSONDecodeError", "OSError")' in wiring


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([LOAD, "%%step use --fallback rows\nout = rows[0]"], "the fallback 'rows' of step 'use' cannot be written"),
        (
            ["from json import loads", "%%step use --fallback loads\nout = 1"],
            "the fallback 'loads' of step 'use' cannot",
        ),
        (
            ["N = 1", "def last(N): return N", "%%step use --fallback last\nout = N"],
            "the fallback 'last' of step 'use' takes 'N', which the step does not",
        ),
        (["N = 1", STEP + "\n@step(retries=N)\ndef f():\n    return 1", "x = f()"], "for `retries` cannot be told"),
    ],
)
def test_a_policy_that_would_not_survive_is_refused(plan: Planner, cells: list[str], message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        plan(*cells)


def test_the_idempotency_key_is_the_one_import_of_p2p_that_a_module_keeps(plan: Planner) -> None:
    made = plan("from p2p import step, idempotency_key", "%%step pay\nkey = idempotency_key()")
    assert [s.source for s in made.imports] == ["from p2p import step, idempotency_key"]
    assert plan(STEP, "%%step pay\nkey = 1").imports == ()
    assert [s.source for s in plan("import p2p", "%%step pay\nkey = p2p.idempotency_key()").imports] == ["import p2p"]


def test_keyword_arguments_are_wired_by_the_function_s_own_names(plan: Planner) -> None:
    made = plan(
        STEP, "@step\ndef add(a, b, c=1):\n    return a + b + c", "%%step one\nk = 1\nj = 2", "x = add(k, c=j, b=k)"
    )
    assert step_named(made, "add").inputs == {"a": "k", "c": "j", "b": "k"}


def test_a_step_inside_a_step_stays_one_with_its_policy(plan: Planner) -> None:
    made = plan(
        STEP, "@step(timeout=5)\ndef inner(a):\n    return a + 1", "@step\ndef outer(a):\n    return inner(a)",
        "%%step one\nk = 1", "x = outer(k)",
    )  # fmt: skip
    assert [step.name for step in made.steps] == ["one", "outer"]
    assert made.nested == {"inner": Policy(timeout=5)}
    assert made.nested_sources == ("def inner(a):\n    return a + 1\n",)


def test_a_function_that_is_a_step_both_ways_is_written_once(plan: Planner) -> None:
    cells = ("@step\ndef inner(a):\n    return a + 1", "@step\ndef outer(a):\n    return inner(a)")
    made = plan(STEP, *cells, "%%step one\nk = 1", "x = outer(k)\ny = inner(k)")
    assert [step.name for step in made.steps] == ["one", "outer", "inner"]
    assert list(made.nested) == ["inner"]
    assert made.nested_sources == ()


def test_a_cell_with_await_becomes_a_coroutine(plan: Planner) -> None:
    made = plan("async def fetch():\n    return 1", "%%step load\nrows = await fetch()")
    assert step_named(made, "load").is_async


def test_displays_and_harmless_magics_are_dropped_from_a_step(plan: Planner) -> None:
    made = plan("%%step load\n%matplotlib inline\nrows = [1]\nrows\ndisplay(rows)")
    assert step_named(made, "load").source == "rows = [1]"


def test_what_a_cell_magic_runs_is_not_taken_for_python(plan: Planner) -> None:
    made = plan("%%bash\nls -la | head", "%%step load\nrows = [1]")
    assert [step.name for step in made.steps] == ["load"]


def refused(*cells: str, says: list[str], id: str) -> object:
    return pytest.param(cells, says, id=id)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        refused("%%step load\nrow_count = 1", "%%step use\nout = row_cuont", id="unknown name",
                says=["Cell 2", "'use'", "'row_cuont'", "Closest name: 'row_count' (cell 1)"]),
        refused(STEP, "y = (", id="no Python", says=["Cell 2: Line 1 is not valid Python", "never closed"]),
        refused("%%step use\nout = rate * 2", "rate = 3", id="name from below",
                says=["Cell 1", "'rate'", "Cell 2, below it, does: move it up"]),
        refused(STEP, "@step\ndef f(a):\n    return a", "for i in range(3):\n    x = f(i)", id="call in a loop",
                says=["Cell 3, line 2", "'f'", "inside a for loop"]),
        refused(STEP, "@step\ndef f(a):\n    return a", "x = f(1)", id="literal argument",
                says=["Cell 3, line 1", "`1` is not a plain name"]),
        refused(LOAD, "%%step use() -> out\nout = rows[0]", id="undeclared read",
                says=["Cell 2", "'rows'", "%%step use(rows)"]),
        refused("%%step load\nrows = 1\n!ls", id="shell line", says=["Cell 1, line 3", "'!ls'"]),
        refused("%%step load\nfiles = !ls", id="assigned shell line", says=["Cell 1, line 2", "files = !ls"]),
        refused("x = 1", "%%step load\n%pip install foo\nrows = 1", id="magic",
                says=["Cell 2, line 2", "%pip install foo"]),
        refused("%%step load\nexec('rows = 1')", id="exec", says=["Cell 1, line 2", "exec"]),
        refused("%%step load\nglobals()['rows'] = 1", id="globals", says=["Cell 1, line 2", "globals()"]),
        refused("%%step load\nfrom mine import *\nx = pi", id="star import",
                says=["Cell 1, line 2", "from mine import *"]),
        refused("%%step load\na = 1", "%%step load\nb = 1", id="two steps of a name",
                says=["Cells 1 and 2", "'load'", "Rename one"]),
        refused(STEP, "K = 3", "@step\ndef f(a):\n    return a", "x = f(K)", id="constant as argument",
                says=["Cell 4", "'f'", "'K'", "constant"]),
        refused(STEP, LOAD, "@step\ndef f(a):\n    return a + rows", "x = f(rows)", id="function that reads data",
                says=["'f'", "'rows'", "not among its arguments", "pass it in"]),
        refused(STEP, LOAD, "@step\ndef inner(a):\n    return a + len(rows)",
                "@step\ndef outer(a):\n    return inner(a)", "x = outer(rows)",
                id="nested function that reads data", says=["'inner'", "'rows'", "pass it in"]),
        refused("x = 1", id="no steps", says=["has no steps", "%%step NAME"]),
    ],
)  # fmt: skip
def test_what_cannot_become_a_module_is_refused_by_cell_with_a_cure(
    plan: Planner, cells: tuple[str, ...], says: list[str]
) -> None:
    with pytest.raises(AnalysisError) as refusal:
        plan(*cells)
    assert [text for text in says if text not in str(refusal.value)] == []


def test_a_star_import_of_a_known_module_is_written_out(plan: Planner) -> None:
    made = plan("from math import *\nfrom os.path import *", "%%step a\nx = [pow(2, 3), floor(2.5), join('a', 'b')]")
    assert [s.source for s in made.imports] == ["from math import floor, pow", "from os.path import join"]


def test_a_name_of_python_s_own_that_a_step_gives_another_meaning_is_its_value(plan: Planner) -> None:
    made = plan("%%step a\nsum = 3", "%%step b\nx = sum + 1", "%%step c\ny = max(1, x)")
    assert wiring(made) == [("a", (), ("sum",)), ("b", ("sum",), ("x",)), ("c", ("x",), ("y",))]


def test_a_seed_between_steps_is_set_in_its_place(plan: Planner) -> None:
    made = plan(
        "import random\nrandom.seed(1)",
        "%%step a\nx = random.random()",
        "random.seed(1)",
        "%%step b\ny = random.random()",
    )
    assert [s.source for s in made.setup] == ["random.seed(1)"]
    assert [(s.name, s.source) for s in made.steps if s.implicit] == [("setup_3", "random.seed(1)")]


def test_what_a_name_may_have_been_before_a_branch_is_needed_too(plan: Planner) -> None:
    made = plan("mode = 'a'", "import os\nif os.sep == 'x':\n    mode = 'b'", "%%step a\nx = mode * 2")
    assert [s.source.splitlines()[0] for s in made.helpers] == ["mode = 'a'", "if os.sep == 'x':"]


ADD = "def add():\n    global total\n    total += 1"


def test_a_global_of_a_step_s_own_cell_is_nonlocal_in_its_function(plan: Planner) -> None:
    made = plan(f"%%step a\ntotal = 0\n{ADD}\nadd()")
    assert made.steps[0].source == f"total = 0\n{ADD.replace('global', 'nonlocal')}\nadd()"


@pytest.mark.parametrize("cells", [
    (f"%%step a\ntotal = 0\n{ADD}\nadd()", "%%step b\nadd()\nx = total"),
    ("%%step a\nglobal total\ntotal = 0\nx = total",),
    ("%%step a\ntotal = 0", "def add():\n    global total\n    total += 1", "%%step b\nadd()\nx = total"),
])  # fmt: skip
def test_a_global_that_is_a_step_s_value_is_refused(plan: Planner, cells: tuple[str, ...]) -> None:
    with pytest.raises(AnalysisError, match="`global total` means a variable of the module"):
        plan(*cells)


def test_a_counter_of_the_helpers_themselves_is_the_module_s(plan: Planner) -> None:
    made = plan("count = 0\ndef tick():\n    global count\n    count += 1\n    return count", "%%step a\nx = tick()")
    assert [s.source.splitlines()[0] for s in made.helpers] == ["count = 0", "def tick():"]
