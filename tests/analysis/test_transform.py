from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from p2p.analysis import digest_source, magics, parse_cell, to_python


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1\n",
        "x = (10\n% 3)\n",
        "s = '''\n%matplotlib\n!ls\nwhat?\n'''\n",
        "x = f'{a!r}' if a != b else c % d",
        "# is it?\nx = 1\n",
    ],
)
def test_python_stays_as_it_is_and_has_no_magics(source: str) -> None:
    assert to_python(source) == source
    assert magics(source) == ()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("%matplotlib inline\nx = 1", [(1, "%matplotlib inline")]),
        ("x = 1\n%load_ext p2p\n!pip list\n", [(2, "%load_ext p2p"), (3, "!pip list")]),
        ("x = 1\nfiles = !ls *.csv", [(2, "files = !ls *.csv")]),
        ("y = %env HOME", [(1, "y = %env HOME")]),
        ("if x:\n    %env A=1", [(2, "%env A=1")]),
        ("df.head?", [(1, "df.head?")]),
        ("?df", [(1, "?df")]),
        ("\n%%bash\nls\ncd", [(2, "%%bash")]),
        ("!ls \\\n  -l\n!pwd", [(1, "!ls \\\n  -l"), (3, "!pwd")]),
        ("%%step load\n%env A=1", [(2, "%env A=1")]),
        ("%%time\n!ls", [(2, "!ls")]),
        ("%time x = 1", []),
        ("%%capture\nx = 1", []),
    ],
)
def test_lines_that_only_ipython_runs_are_listed(source: str, found: list[tuple[int, str]]) -> None:
    assert list(magics(source)) == found


@pytest.mark.parametrize(
    "source",
    [
        "\n\n%matplotlib inline\n\nmarker = 1",
        "!ls \\\n  -l \\\n  -a\nx = !ls \\\n  -l\nmarker = 1",
        "%%step load\n\n%%time\nmarker = 1",
        "\n  a = 1\n  %env A\n  marker = 1",
        ">>> a = 1\n>>> marker = 1",
        "df?\n%time b = 2\nmarker = 1",
    ],
)
def test_line_numbers_are_kept(source: str) -> None:
    line = next(i for i, text in enumerate(source.splitlines(), 1) if "marker" in text)
    assigned = [n for n in ast.walk(parse_cell(source)) if isinstance(n, ast.Name) and n.id == "marker"]
    assert [name.lineno for name in assigned] == [line]


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%time x = f(1)", "x = f(1)\n"),
        ("if a:\n    %time x = f('q')\n", "if a:\n    x = f('q')\n"),
        ("x = %time f(1)", "x = f(1)\n"),
        ("%%time\nx = 1", "\nx = 1\n"),
        ("%%step load\nx = 1\n", "\nx = 1\n"),
        ("%%stepper load\nx", "get_ipython().run_cell_magic('stepper', 'load', 'x\\n')\n\n"),
        ("%%capture out\nx", "get_ipython().run_cell_magic('capture', 'out', 'x\\n')\n\n"),
        ("x = !ls", "x = get_ipython().getoutput('ls')\n"),
    ],
)
def test_what_the_python_text_is(source: str, python: str) -> None:
    assert to_python(source) == python


def test_plain_python_is_read_without_importing_ipython() -> None:
    code = "import sys; import p2p.analysis as a; a.cell_names('x = y'); assert 'IPython' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --- the digest of what code means ---


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x  =  1  # one\n\n"),
        ("f(a, b)", "f(\n    a,\n    b,\n)"),
        ("s = 'a'", 's = "a"'),
        ("x = 1", "%%step load\nx = 1"),
        ("x = 1", "%%step load --retries 3\n%%time\nx = 1"),
        ("s = u'a'", "s = 'a'"),
        ("n = 1_000", "n = 1000"),
    ],
)
def test_layout_comments_and_marks_do_not_change_the_digest(one: str, other: str) -> None:
    assert digest_source(one) == digest_source(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = 1", "x = '1'"),
        ("x = 'a'", "x = b'a'"),
        ("x = None", "x = ..."),
        ("def f():\n    'one'", "def f():\n    'two'"),
        ("a\nb", "b\na"),
        ("f(a, *b)", "f(a, b)"),
        ("{**a}", "{a: a}"),
        ("match x:\n    case None: pass", "match x:\n    case True: pass"),
        ("!ls", "!ls -l"),
        ("def f(a): pass", "def f(*, a): pass"),
        ("x: int", "x: int = None"),
        ("for i in x: pass", "async for i in x: pass"),
    ],
)
def test_other_meaning_has_another_digest(one: str, other: str) -> None:
    assert digest_source(one) != digest_source(other)


def test_the_digest_is_the_same_in_every_version_of_python() -> None:
    source = (
        "def f(a, *b: int, c=1.5) -> str:\n    return f'{a!r:>{c}}' + {'k': None}['k'] if b else ''\nclass C(B): pass"
    )
    assert digest_source(source) == "a3a2031c6f9feb17c43ac47ead5840546e632fce7015764a021493641df7db47"
