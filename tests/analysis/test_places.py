"""Where a notebook finds modules of its author's, told from its text as people write it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from p2p.analysis import added_paths, find_file, is_installed, is_library_path, places_of

HERE = Path("/project/notebooks")


def added(*cells: str) -> list[str]:
    """The directories that cells add, seen from the project; those in front with a `<`."""
    return [
        f"{'<' if place.first else ''}{place.directory.relative_to('/project').as_posix()}"
        for place in places_of(HERE, cells)[1:]
    ]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("import sys\nsys.path.append('..')", ["."]),
        ("sys.path.append('./lib/')", ["notebooks/lib"]),
        ("sys.path.insert(0, '../src')", ["<src"]),
        ("sys.path.extend(['a', '../b'])", ["notebooks/a", "b"]),
        ("sys.path += ['../src']", ["src"]),
        ("site.addsitedir('../src')", ["src"]),
        ("sys.path.append(os.path.abspath(os.path.join('..')))", ["."]),
        ("sys.path.append(os.path.join(os.getcwd(), os.pardir, 'src'))", ["src"]),
        ("sys.path.append(os.path.dirname(os.getcwd()) + '/src')", ["src"]),
        ("sys.path.append(str(Path().resolve().parent))", ["."]),
        ("sys.path.append(str(Path.cwd().parents[0] / 'src'))", ["src"]),
        ("sys.path.append(str(Path('..').joinpath('src')))", ["src"]),
        ("sys.path.append(os.path.realpath('../src'))", ["src"]),
        ("root = os.path.abspath('..')\nif root not in sys.path:\n    sys.path.insert(0, root)", ["<."]),
        ("sys.path.append(find_root())", []),
        ("sys.path.append(os.path.join('..', name))", []),
        ("sys.path.append(f'{root}/src')", []),
        ("x.path.append('..')", []),
        ("sys.path.append(", []),
    ],
)
def test_a_directory_that_a_cell_adds(cell: str, found: list[str]) -> None:
    assert added(cell) == found


def test_a_path_may_come_from_a_cell_above_and_only_as_it_stood_there() -> None:
    assert added("root = '..'", "sys.path.append(root)", "root = '/other'") == ["."]
    assert added("%matplotlib inline\nroot = '../src'", "sys.path.append(root)") == ["src"]


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("sys.path.append('..')", 1),
        ("if 'x' not in sys.path:\n    sys.path.append('x')\n    sys.path.append('y')", 2),
        ("if 'x' not in sys.path:\n    sys.path.append('x')\n    print('added')", None),
        ("if 'x' not in sys.path:\n    sys.path.append('x')\nelse:\n    y = 1", None),
        ("if here:\n    sys.path.append('x')", None),
        ("sys.path.remove('x')", None),
        ("rows.append('x')", None),
        ("paths += ['x']", None),
    ],
)
def test_only_what_does_nothing_else_is_an_addition(statement: str, count: int | None) -> None:
    found = added_paths(ast.parse(statement).body[0])
    assert (None if found is None else len(found)) == count


def test_a_module_is_a_file_a_package_or_a_directory_with_python_in_it(tmp_path: Path) -> None:
    for name in ("one.py", "both.py", "both/__init__.py", "pack/__init__.py", "pack/deep/x.py", "data/x.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def found(module: str) -> str | None:
        file = find_file(module, tmp_path)
        return None if file is None else file.relative_to(tmp_path).as_posix()

    assert [found(name) for name in ("one", "both", "pack", "pack.deep", "pack.deep.x", "data", "none")] == [
        "one.py", "both/__init__.py", "pack/__init__.py", "pack/deep", "pack/deep/x.py", None, None
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (json.__file__, True),
        (pytest.__file__, True),
        ("/home/ann/.local/lib/python3.11/site-packages/seaborn/axisgrid.py", True),
        ("/usr/lib/python3/dist-packages/numpy", True),
        ("/project/notebooks/cleaning.py", False),
        ("/project/site-packages-of-ours/cleaning.py", False),
    ],
)
def test_a_library_lies_where_packages_are_installed_whoever_installed_them(path: str, expected: bool) -> None:
    assert is_library_path(path) is expected


def test_a_module_that_another_environment_lends_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an environment with `--system-site-packages`: no notebook's author wrote it."""
    lent, own = tmp_path / "other" / "lib" / "site-packages", tmp_path / "project"
    for folder, name in ((lent, "p2p_test_lent"), (own, "p2p_test_own")):
        folder.mkdir(parents=True)
        (folder / f"{name}.py").write_text("x = 1\n")
        monkeypatch.syspath_prepend(folder)
    assert (is_installed("p2p_test_lent"), is_installed("p2p_test_own")) == (True, False)
