"""The table is the specification: what each piece of code reads from outside, and what it leaves behind."""

from __future__ import annotations

import sys
import textwrap

import pytest

from p2p.analysis import CellNames, cell_names, step_inputs, step_outputs
from p2p.errors import AnalysisError

# what it shows: (source, reads, writes)
TABLE: dict[str, tuple[str, str, str]] = {
    "nothing": ("", "", ""),
    "assignment": ("x = a + b", "a b", "x"),
    "reads before writes only": ("x = a\ny = x", "a", "x y"),
    "read and rebound": ("x = x + 1", "x", "x"),
    "tuple targets": ("a, (b, *c) = f()", "f", "a b c"),
    "chained targets": ("a = b = c", "c", "a b"),
    "augmented": ("x += 1", "x", "x"),
    "augmented after binding": ("x = 0\nx += y", "y", "x"),
    "annotation is read": ("x: T = 1", "T", "x"),
    "annotation without value binds nothing": ("x: int", "", ""),
    "item target reads": ("d[k] = v", "d k v", ""),
    "attribute target reads": ("o.a = v", "o v", ""),
    "builtins are not read": ("n = len(list(x))", "x", "n"),
    "builtin that the cell binds first": ("list = [1]\nlist", "", "list"),
    "builtin read and then bound": ("sum = sum(x)", "sum x", "sum"),
    "kernel names are builtins": ("display(get_ipython())", "", ""),
    "f-string": ("s = f'{a!r:>{w}} {b + 1}'", "a w b", "s"),
    "starred arguments": ("f(*a, k=1, **b)", "f a b", ""),
    "slices": ("y = x[a:b, ::c]", "x a b c", "y"),
    "delete reads and unbinds": ("del x", "x", ""),
    "delete of own": ("x = 1\ny = x\ndel x", "", "y"),
    "rebound after delete": ("x = 1\ndel x\nx = 2", "", "x"),
    "if binds maybe": ("if c:\n    x = 1\ny = x", "c x", "x y"),
    "if and else bind surely": ("if c:\n    x = 1\nelse:\n    x = 2\ny = x", "c", "x y"),
    "else that raises": ("if c:\n    x = 1\nelse:\n    raise E\ny = x", "c E", "x y"),
    "constant condition": ("if False:\n    x = a\nif True:\n    y = 1\ny", "", "y"),
    "for may not run": ("for i in xs:\n    y = i\nz = y", "xs y", "i y z"),
    "for over a literal runs": ("for i in (1, 2):\n    y = i\nz = y + i", "", "i y z"),
    "for over a range runs": ("for i in range(3):\n    y = i\ny", "", "i y"),
    "for over an empty range": ("for i in range(0):\n    y = i\ny", "y", "i y"),
    "for with break": ("for i in (1, 2):\n    if i:\n        break\n    y = i\ny", "y", "i y"),
    "for else": ("for i in xs:\n    if i:\n        y = 1\n        break\nelse:\n    y = 2\ny", "xs", "i y"),
    "accumulator in a loop": ("for i in xs:\n    t += i", "xs t", "i t"),
    "while true": ("while True:\n    x = f()\n    if x:\n        break\ny = x", "f", "x y"),
    "while may not run": ("while c:\n    x = 1\nx", "c x", "x"),
    "with": ("with open(p) as fh:\n    x = fh.read()\ny = x", "p", "fh x y"),
    "with that suppresses": ("with suppress(E):\n    x = f()\nx", "suppress E f x", "x"),
    "try body may stop": ("try:\n    x = f()\nexcept E:\n    pass\nx", "f E x", "x"),
    "try with fallback": ("try:\n    x = f()\nexcept E:\n    x = 1\ny = x", "f E", "x y"),
    "try that raises again": ("try:\n    x = f()\nexcept E:\n    raise\ny = x", "f E", "x y"),
    "try else": ("try:\n    x = f()\nexcept E:\n    raise\nelse:\n    y = x\ny", "f E", "x y"),
    "finally sees what was bound before": ("h = f()\ntry:\n    x = h\nfinally:\n    h.close()\nx", "f", "h x"),
    "except name is gone": ("try:\n    x = 1\nexcept E as e:\n    x = str(e)", "E", "x"),
    "except name read after": ("try:\n    1\nexcept E as e:\n    pass\ne", "E e", ""),
    "except name is gone on every way": ("try:\n    raise E\nexcept E as e:\n    x = 1\ne", "E e", "x"),
    "except name is gone after break": (
        "while True:\n    try:\n        raise E\n    except E as e:\n        break\ne",
        "E e",
        "",
    ),
    "break goes through finally": (
        "while True:\n    x = 1\n    try:\n        break\n    finally:\n        del x\nx",
        "x",
        "x",
    ),
    "except group": ("try:\n    f()\nexcept* E as e:\n    x = e", "f E", "x"),
    "walrus": ("if (m := f(s)):\n    x = m", "f s", "m x"),
    "walrus in and": ("if a and (m := f()):\n    x = m", "a f", "m x"),
    "walrus in or": ("if a or (m := f()):\n    x = m", "a f m", "m x"),
    "walrus in negated condition": ("if not (a and (m := f())):\n    raise E\nm", "a f E", "m"),
    "walrus in comprehension": ("ys = [y for x in xs if (y := g(x))]\ny", "xs g y", "y ys"),
    "comprehension variable is its own": ("ys = [x + k for x in xs for z in x]", "k xs", "ys"),
    "comprehension's first iterable": ("x = [x for x in x]", "x", "x"),
    "comprehension's second iterable": ("r = [y for x in xs for y in x]\nx", "xs x", "r"),
    "dict comprehension": ("d = {k: v + a for k, v in m.items() if b}", "a m b", "d"),
    "generator": ("t = sum(w * x for x in xs)", "w xs", "t"),
    "lambda argument": ("f = lambda x, y=d: x + y + k", "d k", "f"),
    "lambda used at once": ("ys = sorted(xs, key=lambda r: score(r))\ndef score(r): return r", "xs score", "ys score"),
    "function reads late": ("def f(a, b=d):\n    c = a + b + k\n    return c", "d k", "f"),
    "helper defined later": ("def f(): return g()\ndef g(): return 1\nf()", "", "f g"),
    "called before its helper": ("def f(): return g()\nf()\ndef g(): return 1", "g", "f g"),
    "helpers of helpers": ("def f(): return g()\ndef g(): return k\nf()\nk = 1", "k", "f g k"),
    "recursion": ("def f(n): return f(n - 1)\nf(3)", "", "f"),
    "function bound later too": ("def f(): return k\nk = 1\nf()", "", "f k"),
    "local of a function": ("def f():\n    k = 1\n    return k\nf()", "", "f"),
    "global write": ("def f():\n    global n\n    n = 1\nf()", "", "n f"),
    "global read and write": ("def f():\n    global n\n    n += 1\nf()", "n", "n f"),
    "global in a nested function": (
        "def f():\n    n = 1\n    def g():\n        global n\n        return n\n    g()",
        "n",
        "f",
    ),
    "nonlocal": ("def f():\n    n = 1\n    def g():\n        nonlocal n\n        n += 1\n    return g", "", "f"),
    "closure": ("def f(a):\n    def g():\n        return a + k\n    return g", "k", "f"),
    "import in a function": ("def f():\n    import os\n    return os.sep", "", "f"),
    "decorators": ("@d(a)\ndef f(): pass", "d a", "f"),
    "function annotations": ("def f(x: A, *y: B, z: C = c) -> R: pass", "A B C c R", "f"),
    "annotation inside a function is never evaluated": ("def f():\n    x: T = 1", "", "f"),
    "annotations as text are read late": (
        "from __future__ import annotations\ndef f(x: A, y: B): pass\nclass A: pass\nf(1)",
        "B",
        "annotations f A",
    ),
    "class body": ("class C(B, metaclass=M):\n    a = k\n    b = a", "B M k", "C"),
    "class names are unseen by methods": ("class C:\n    a = 1\n    def m(self): return a", "a", "C"),
    "class names are unseen by comprehensions": ("class C:\n    a = 1\n    b = [a for _ in (a,)]", "a", "C"),
    "class rebinds": ("class C:\n    x = x", "x", "C"),
    "class property": (
        "class C:\n    @property\n    def p(self): pass\n    @p.setter\n    def p(self, v): pass",
        "",
        "C",
    ),
    "method's helper defined later": ("class C:\n    def m(self): return g()\ndef g(): pass\nC().m()", "", "C g"),
    "subclass before the helper": (
        "class A:\n    def m(self): return g()\nclass B(A): pass\ndef g(): pass\nB()",
        "",
        "A B g",
    ),
    "class body that calls its function": ("class C:\n    def g(): return k\n    x = g()\nk = 1", "k", "C k"),
    "class cell name": ("class C:\n    def m(self): return __class__, super()", "", "C"),
    "dataclass annotation": ("class C:\n    x: T\n    y: int = d", "T d", "C"),
    "global in a class": ("class C:\n    global n\n    n = 1\nn", "", "n C"),
    "imports": ("import a.b, c.d as e\nfrom f import g, h as i", "", "a e g i"),
    "match": (
        "match v:\n    case P(x=a, y=[b, *c]) if b > k: r = a\n    case {'t': d, **e}: r = d\n    case Q.z: r = 0\n"
        "    case _: r = 1\nr",
        "v P k Q",
        "a b c r d e",
    ),
    "match that may miss": ("match v:\n    case 1: r = 1\nr", "v r", "r"),
    "match capture": ("match v:\n    case w: r = w\nw", "v", "w r"),
    "await": ("x = await f(a)", "f a", "x"),
    "async for": ("async for i in s:\n    x = i", "s", "i x"),
    "async with": ("async with s() as c:\n    x = c", "s", "c x"),
    "async comprehension": ("x = [i async for i in s]", "s", "x"),
    "query names": ("y = df.query('month == @month and a > @lim.x')", "df month lim", "y"),
    "query names in an f-string": ("y = df.query(f'{c} == @month')", "df month c", "y"),
    "dead code": ("raise E\nx = a", "E", ""),
    "ends with raise": ("x = 1\nraise E", "E", "x"),
    "assert": ("assert a, b\nx = 1", "a b", "x"),
    "conditional expression": ("x = a if c else b", "a c b", "x"),
    "short comparison": ("a < b < (x := c)\nx", "a b c x", "x"),
    "step mark and timing": ("%%step load\n%%time\nx = a", "a", "x"),
    "line timing": ("%time x = f(a)", "f a", "x"),
    "shell assignment": ("x = !ls\ny = x", "", "x y"),
    "order is that of the text": ("r = f(b)[a] + c\n(d, r)", "f b a c d", "r"),
}


@pytest.mark.parametrize(("source", "reads", "writes"), TABLE.values(), ids=TABLE.keys())
def test_reads_and_writes(source: str, reads: str, writes: str) -> None:
    names = cell_names(source)
    assert (names.reads, names.writes) == (tuple(reads.split()), tuple(writes.split()))


NEWER = {
    "generic function": ("def f[T: B](x: T) -> T:\n    return k", "B k", "f"),
    "generic class": ("class C[T](Base[T]):\n    def m(self, x: T) -> Later: pass", "Base Later", "C"),
    "type alias is lazy": ("type A = list[B]\nclass B: pass", "", "A B"),
    "generic method sees class names in its annotations": (
        "class C:\n    K = int\n    def m[T](self, x: K) -> T: pass",
        "",
        "C",
    ),
}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
@pytest.mark.parametrize(("source", "reads", "writes"), NEWER.values(), ids=NEWER.keys())
def test_type_parameters(source: str, reads: str, writes: str) -> None:
    test_reads_and_writes(source, reads, writes)


@pytest.mark.parametrize(
    ("source", "late"),
    [
        ("def f(): return k", "k"),
        ("k\ndef f(): return k", ""),
        ("def f(x=d): return k", "k"),
        ("class C:\n    a = d\n    def m(self): return k", "k"),
        ("ys = list(map(lambda x: x + k, xs))", "k"),
        ("def f(): return k\nf()", "k"),
    ],
)
def test_reads_inside_functions_only_are_late(source: str, late: str) -> None:
    assert cell_names(source).late_reads == tuple(late.split())


@pytest.mark.parametrize(
    ("source", "maybe"),
    [
        ("x = a", ""),
        ("if c:\n    x = 1\ny = x", "x"),
        ("for i in xs:\n    y = i\ny", "y"),
        ("for i in xs:\n    if i:\n        p = q\n    q = i", "q"),
        ("y\nif c:\n    y = 1", ""),
        ("def f(): return g()\nf()\ndef g(): pass", "g"),
    ],
)
def test_reads_that_the_cell_may_satisfy_itself_are_told_apart(source: str, maybe: str) -> None:
    assert cell_names(source).maybe_reads == tuple(maybe.split())


def test_writes_of_one_branch_are_told_apart() -> None:
    names = cell_names("x = 1\nif c:\n    y = 1\nfor i in xs:\n    pass\ndef f():\n    global g\n    g = 1")
    assert names.maybe_writes == ("y", "i", "g")


def test_builtins_that_an_earlier_cell_may_bind_are_listed() -> None:
    assert cell_names("n = len(max)").builtin_reads == ("len", "max")


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("x = 1\ny: int = 2\nx += 1", {"x": "value", "y": "value"}),
        ("for i in xs:\n    t = i", {"i": "loop", "t": "value"}),
        ("for i in xs: pass\ni = 1", {"i": "value"}),
        ("i = 1\nfor i in xs: pass", {"i": "value"}),
        ("with f() as h: pass\n(w := 1)", {"h": "loop", "w": "loop"}),
        ("import a\nfrom b import c", {"a": "import", "c": "import"}),
        ("def f(): pass\nasync def g(): pass\nclass C: pass", {"f": "function", "g": "function", "C": "class"}),
        ("try:\n    import a\nexcept ImportError:\n    a = None", {"a": "import"}),
        ("from m import data\ndata = data.copy()", {"data": "value"}),
        ("f = lambda: 1", {"f": "value"}),
    ],
)
def test_kind_of_each_write(source: str, kinds: dict[str, str]) -> None:
    assert dict(cell_names(source).kinds) == kinds


@pytest.mark.parametrize(
    ("source", "mutates"),
    [
        ("df['x'] = 1", "df"),
        ("df.loc[m, 'y'] = 2", "df"),
        ("o.a.b = 1", "o"),
        ("del d[k]", "d"),
        ("d['n'] += 1", "d"),
        ("x += [1]", "x"),
        ("xs.append(1)", "xs"),
        ("o.items[0].append(1)", "o"),
        ("n = s.pop()", "s"),
        ("model.fit(X, y)", "model"),
        ("df.drop(columns='a', inplace=True)", "df"),
        ("df.drop(columns='a', inplace=False)", ""),
        ("random.shuffle(x)", "x"),
        ("np.random.shuffle(x[1:])", "x"),
        ("np.add(a, b, out=c)", "np c"),
        ("import numpy as np\nnp.add(a, b)", ""),
        ("import os\nos.environ['A'] = '1'", ""),
        ("y = x.copy()\ny['a'] = 1", "y"),
        ("for d['k'] in xs: pass", "d"),
        ("def f(d):\n    d['x'] = 1", ""),
        ("def f():\n    cache['x'] = 1", "cache"),
        ("[a.append(1) for a in xs]", "xs"),
        ("f(x).append(1)", ""),
        ("x = df.drop('a')", ""),
    ],
)
def test_what_may_be_changed_in_place(source: str, mutates: str) -> None:
    assert cell_names(source).mutates == tuple(mutates.split())


@pytest.mark.parametrize(
    ("source", "dynamic"),
    [
        ("x = 1\nexec('y = 1')", [(2, "exec(")]),
        ("eval('x')", [(1, "eval(")]),
        ("df.eval('a + b')", []),
        ("pd.eval('a + b')", [(1, "pd.eval(")]),
        ("duckdb.sql('select * from df')", [(1, "duckdb.sql(")]),
        ("globals()['x'] = 1", [(1, "globals()")]),
        ("locals()\nvars()\nvars(o)", [(1, "locals()"), (2, "vars()")]),
        ("def f(): return locals()", []),
        ("def eval(x): pass\neval('x')", []),
        ("from a.b import *", [(1, "from a.b import *")]),
        ("get_ipython().user_ns['x']", [(1, "get_ipython().user_ns")]),
        ("%run other.py", [(1, "%run")]),
        ("%matplotlib inline\n%load_ext p2p", []),
        ("%%bash\nls", []),
        ("%%sql result <<\nselect 1", [(1, "%%sql")]),
        ("%%capture out\nx = 1", [(1, "%%capture")]),
    ],
)
def test_what_cannot_be_analysed_is_listed_with_its_line(source: str, dynamic: list[tuple[int, str]]) -> None:
    assert list(cell_names(source).dynamic) == dynamic


@pytest.mark.parametrize(
    ("source", "awaits"),
    [
        ("await f()", True),
        ("async for x in y: pass", True),
        ("async with x: pass", True),
        ("[x async for x in y]", True),
        ("async def f():\n    await g()\n    [x async for x in y]", False),
        ("g = (x async for x in y)", False),
    ],
)
def test_await_of_the_cell_itself(source: str, awaits: bool) -> None:
    assert cell_names(source).has_await is awaits


def test_deletes() -> None:
    assert cell_names("x = 1\ndel x, y").deletes == ("x", "y")


@pytest.mark.parametrize(
    ("source", "line"),
    [("x = 1\ny = = 2", 2), ("x = 1\n\nreturn x", 3), ("def f():\n    nonlocal x", 2), ("\n%%step a\nx = (", 3)],
)
def test_no_python_is_refused_with_its_line(source: str, line: int) -> None:
    with pytest.raises(AnalysisError, match=f"Line {line} is not valid Python") as caught:
        cell_names(source)
    assert caught.value.fields["line"] == line


def test_a_nest_that_python_cannot_read_is_refused() -> None:
    with pytest.raises(AnalysisError, match="nested too deeply"):
        cell_names("x = " + " + ".join(["a"] * 3000))


# --- inputs and outputs of a step cell ---


def outputs(source: str, **options: object) -> tuple[str, ...]:
    return step_outputs(cell_names(source), **options)  # type: ignore[arg-type]


def test_values_are_outputs_and_helpers_are_not() -> None:
    source = """
        import os
        def f(): pass
        _tmp = a
        for i in _tmp:
            total = i
        with open(p) as fh:
            text = fh.read()
    """
    assert outputs(textwrap.dedent(source)) == ("total", "text")


def test_inputs_changed_in_place_are_outputs_after_the_values() -> None:
    names = cell_names("df['x'] = 1\nn = len(df)\nmodel.fit(df)")
    assert step_inputs(names) == ("df", "model")
    assert step_outputs(names) == ("n", "df", "model")


def test_what_only_a_function_may_change_is_no_output() -> None:
    assert outputs("def f():\n    cache['x'] = 1\ny = 1") == ("y",)


def test_modules_of_other_cells_are_no_outputs_when_named() -> None:
    assert outputs("x = np.append(a, b)", modules={"np"}) == ("x",)


def test_names_are_the_same_for_a_cell_without_names() -> None:
    assert cell_names("1 + 1") == CellNames()
