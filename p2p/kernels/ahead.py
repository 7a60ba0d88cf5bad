"""What may be imported ahead of a notebook's run: the installed libraries that its cells import, told from their text.

Only plain imports at the top level of cells count, as others may never run; and only those before the first statement
that could make an import do something else (a changed environment, directory, import path or warning filter).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from p2p.analysis import Place, find_file, is_installed, is_step_mark, parse_cell, places_of, split_mark
from p2p.errors import P2PError

_CHANGING_NAMES: Final = frozenset({
    "chdir", "environ", "environb", "load_dotenv", "meta_path", "path_hooks", "putenv", "set_start_method", "unsetenv",
})  # fmt: skip
_FILTERS: Final = frozenset({"filterwarnings", "simplefilter", "captureWarnings", "showwarning"})
_HARMLESS_MAGICS: Final = frozenset({"autoreload", "config", "load_ext", "matplotlib", "p2p"})
# What p2p itself imports in a kernel to store values of a library.
_STORED_BY: Final = {"pandas": "import pyarrow.parquet"}
# What libraries do when they are used for the first time: scikit-learn asks narwhals whether something is a frame, and
# narwhals imports what it has for pandas, and looks at each installed package for plug-ins (40 ms together).
_FIRST_USED: Final = {
    ("sklearn", "pandas"): (
        "import narwhals.stable.v2, pandas; narwhals.stable.v2.from_native(pandas.DataFrame()); "
        "narwhals.stable.v2.dependencies.is_into_dataframe(None)"
    )
}
_MAGIC_CALLS: Final = frozenset({"run_line_magic", "run_cell_magic", "system", "getoutput"})


def imports_ahead(cells: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The import statements, one library each, that may be run before the cells are, and what comes after them.

    Args:
        cells: the text of the code cells, in order.
        folder: the kernel's working directory.
    """
    places = places_of(folder, cells)
    found = dict.fromkeys(text for node in _imports(tuple(cells)) for text in _single(node, places))
    tops = {_top(statement) for statement in found}
    stored = [text for top, text in _STORED_BY.items() if top in tops]
    used = [text for needed, text in _FIRST_USED.items() if tops.issuperset(needed)]
    return (*found, *(text for text in (*stored, *used) if text not in found and _is_library(_top(text), places)))


def _top(statement: str) -> str:
    """The top-level name of the first module that a statement imports."""
    return re.split(r"[.,;]", statement.split()[1])[0]


@lru_cache(maxsize=8)
def _imports(cells: tuple[str, ...]) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """The imports at the top level of cells that come before anything which could change what they do."""
    return tuple(_undisturbed(cells))


def _undisturbed(cells: Iterable[str]) -> Iterator[ast.Import | ast.ImportFrom]:
    for source in cells:
        try:
            body = parse_cell(split_mark(source)[1] if is_step_mark(source) else source).body
        except P2PError:
            return  # the cell will raise its own error, and none below it will run
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node
            elif _changes_imports(node):
                return


def _single(node: ast.Import | ast.ImportFrom, places: Iterable[Place]) -> Iterator[str]:
    """The statement in parts that import one library each; nothing for modules of the author's, or Python's own."""
    if isinstance(node, ast.Import):
        yield from (f"import {alias.name}" for alias in node.names if _is_library(alias.name, places))
    elif node.level == 0 and node.module and _is_library(node.module, places):
        names = ", ".join(alias.name for alias in node.names)
        yield f"import {node.module}" if names == "*" else f"from {node.module} import {names}"


def _is_library(module: str, places: Iterable[Place]) -> bool:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == "p2p":
        return False
    return not any(find_file(top, place.directory) for place in places) and is_installed(top)


def _changes_imports(statement: ast.stmt) -> bool:
    """Whether it could make a later import do something else than one that comes before it; in doubt, it could."""
    return any(_is_change(node) for node in ast.walk(statement))


def _is_change(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="path" | "modules" | "warnoptions"):
            return True
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments) if name in _FILTERS:
            return not (arguments and isinstance(arguments[0], ast.Constant) and arguments[0].value == "ignore")
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=name), args=arguments):
            return name in _MAGIC_CALLS and not _is_harmless(arguments)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _CHANGING_NAMES
    return False


def _is_harmless(arguments: Sequence[ast.expr]) -> bool:
    """Whether a magic is one of those that import nothing of another kind."""
    texts = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
    name, rest = (str(texts[0]), str(texts[1])) if len(texts) > 1 else (str(texts[0]) if texts else "", "")
    return name in _HARMLESS_MAGICS and (name != "load_ext" or rest.strip() in ("p2p", "autoreload"))
