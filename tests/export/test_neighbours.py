"""The author's own modules: which a version needs, and what becomes of their imports."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from p2p.analysis import Place
from p2p.errors import AnalysisError
from p2p.export.moving import brought_home, moved, moved_file
from p2p.export.neighbours import find_neighbours

NAMES = {"mine", "pack"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import mine", "from .modules import mine"),
        ("import mine as m", "from .modules import mine as m"),
        ("import pack.sub", "from .modules import pack"),
        ("import pack.sub as s", "from .modules.pack import sub as s"),
        ("from mine import a, b as c", "from .modules.mine import a, b as c"),
        (
            "from pack.sub import (\n    a,  # why\n    b,\n)",
            "from .modules.pack.sub import (\n    a,  # why\n    b,\n)",
        ),
        ("from mine import *", "from .modules.mine import *"),
        ("import os, mine, sys as s", "import os; from .modules import mine; import sys as s"),
        ("é = 'mine'; import mine; x = 1", "é = 'mine'; from .modules import mine; x = 1"),
        ("if x: import mine", "if x: from .modules import mine"),
        (
            "def f():\n    from   mine   import a\n    return a",
            "def f():\n    from   .modules.mine   import a\n    return a",
        ),
        ("import \\\n    mine\nx = 1", "from .modules import mine\nx = 1"),
        ("import minera, other.mine\nfrom .mine import a\nfrom minera import mine", None),
        ("s = '''\nimport mine\n'''", None),
    ],
)
def test_an_import_of_a_copied_module_finds_the_copy(source: str, found: str | None) -> None:
    assert moved(source, NAMES, ".modules") == (source if found is None else found)


def test_within_the_copies_the_dots_lead_up_to_their_package() -> None:
    text = "import mine\nfrom pack.sub import a\nfrom . import near"
    assert moved_file("top.py", text, NAMES) == "from . import mine\nfrom .pack.sub import a\nfrom . import near"
    assert moved_file("pack/deep/x.py", "import mine", NAMES) == "from ... import mine"
    loads = "from .pack import sub as _pack_sub; from . import pack"  # the submodule is there when it is read
    assert moved_file("top.py", "import pack.sub", NAMES) == loads


@pytest.mark.parametrize(
    "source",
    ["import mine", "import mine as m", "from mine import a, b as c",
     "def f():\n    from pack.sub import a\n    return a",
     "import os\nfrom mine import a\nx = 'from .modules import y'"],
)  # fmt: skip
def test_what_was_moved_comes_home(source: str) -> None:
    home = brought_home(moved(source, NAMES, ".modules"))
    assert ast.dump(ast.parse(home)) == ast.dump(ast.parse(source))


def write(folder: Path, **files: str) -> list[Place]:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [Place(folder, first=True)]


def test_what_the_needed_modules_import_is_needed_too_and_nothing_else(tmp_path: Path) -> None:
    places = write(
        tmp_path, one="import two\nimport json", two="def f():\n    from pack.deep import x", unused="1/0",
        pack__deep="from . import near", pack__near="", pack__far="",
    )  # fmt: skip
    (tmp_path / "pack" / "__init__.py").write_text("")
    found = find_neighbours(["import one, numpy", "x = 1"], places)
    assert list(found.files) == ["one.py", "pack/__init__.py", "pack/deep.py", "pack/near.py", "two.py"]
    assert found.names == {"one", "two", "pack"}


def test_the_copies_run_in_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = write(
        tmp_path / "of", loose__a="import loose.b\nimport top\nY = loose.b.Z + top.X", loose__b="Z = 1", top="X = 2"
    )
    found = find_neighbours(["import loose.a"], places)
    for path, text in found.texts():
        (tmp_path / "made" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "made" / path).write_text(text, encoding="utf-8")
    (tmp_path / "made" / "__init__.py").write_text(moved("import loose.a\nGIVEN = loose.a.Y", found.names, ".modules"))
    monkeypatch.syspath_prepend(str(tmp_path))
    made = __import__("made")
    assert made.GIVEN == 3
    assert not {"loose", "top"} & {*sys.modules}
    for name in [n for n in sys.modules if n.partition(".")[0] == "made"]:
        del sys.modules[name]


@pytest.mark.parametrize(("data", "why"), [(b"def f(:", "is no Python"), (b"x = '\xe9'", "cannot be read")])
def test_a_module_that_cannot_be_read_is_named(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "broken_of_ours.py").write_bytes(data)
    with pytest.raises(AnalysisError, match=f"broken_of_ours.py'.*{why}"):
        find_neighbours(["import broken_of_ours"], [Place(tmp_path, first=True)])


@pytest.mark.parametrize(
    "text", ["API_KEY = 'abc'", "class C:\n    password: str = 'abc'", "settings.db_password = b'abc'"]
)
def test_a_module_that_holds_a_secret_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"config_of_ours.py', line \d.*seems to hold a secret") as refused:
        find_neighbours(["import config_of_ours"], write(tmp_path, config_of_ours=text))
    assert "abc" not in str(refused.value)
    fine = "API_KEY = os.environ['API_KEY']\npassword = ''\nkeys = 'abc'"
    assert find_neighbours(["import config_of_ours"], write(tmp_path, config_of_ours=fine)).files


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "marked_of_ours.py").write_bytes(b"\xef\xbb\xbfX = 1\n")
    found = find_neighbours(["import marked_of_ours"], [Place(tmp_path, first=True)])
    assert dict(found.texts())["modules/marked_of_ours.py"] == "X = 1\n"
