"""Notebook files as data, checked so far that nothing behind has to doubt their shape."""

from __future__ import annotations

import json
import re
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from p2p.errors import NotebookError, nearest
from p2p.notebook.nodes import nbformat
from p2p.notebook.texts import TEXTS, is_text, parse_text

_CELL_TYPES: Final = ("code", "markdown", "raw")
_OTHER_KERNELS: Final = re.compile(
    r"(ir|julia|bash|zsh|xcpp|javascript|deno|tslab|ruby|scala|almond|rust|evcxr|gophernotes|octave|matlab|stata|sas)\b.*",
    re.IGNORECASE,
)


_filters = threading.Lock()  # the filters of warnings are the whole process's, and a sweep has several threads


def load_notebook(path: Path) -> dict[str, Any]:
    """The document at `path`, in notebook format 4 and in Python; NotebookError says what is wrong with it.

    Notebooks that are kept as text are read through jupytext.
    """
    document = _parsed(path, _text(path))
    if not isinstance(document, dict) or "nbformat" not in document:
        raise NotebookError(f"'{path}' is not a notebook: it has no 'nbformat'.")
    if document["nbformat"] != 4:
        raise NotebookError(
            f"'{path}' is in notebook format {document['nbformat']!r:.20}; p2p reads format 4.",
            cure="Open and save it in Jupyter, or run `jupyter nbconvert --to notebook --inplace`.",
        )
    if problem := _malformed(document):
        raise _invalid(path, problem)
    language = _language(document.get("metadata", {}))
    if language != "python":
        raise NotebookError(f"'{path}' is written in {language}; p2p takes Python notebooks.")
    _refuse_other_cells(path, document["cells"])
    return document


def _refuse_other_cells(path: Path, cells: Sequence[Mapping[str, Any]]) -> None:
    """VS Code lets each cell have a language of its own, and notes it; a cell magic may be shown as another one."""
    code = (cell for cell in cells if cell["cell_type"] == "code")
    for number, cell in enumerate(code, 1):
        noted = (cell.get("metadata") or {}).get("vscode")
        language = noted.get("languageId") if isinstance(noted, dict) else None
        is_magic = "".join(cell.get("source", "")).lstrip().startswith("%%")
        if isinstance(language, str) and language != "python" and not is_magic:
            raise NotebookError(
                f"Code cell {number} of '{path}' is written in {language[:40]!r}; p2p takes Python notebooks.",
                cure="Choose Python as the cell's language in VS Code.",
            )


def load_to_run(path: Path) -> Any:
    """The document at `path` as nbformat's own node, without its outputs: a run makes its own.

    What nbformat 4 requires and says nothing (empty metadata, cell ids) is put in where it is missing.
    """
    document = load_notebook(path)
    document.setdefault("nbformat_minor", 4)
    document.setdefault("metadata", {})
    for cell in document["cells"]:
        cell.setdefault("metadata", {})
        cell["source"] = "".join(cell.get("source", ""))
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    if is_text(path):
        document["metadata"].pop("jupytext", None)  # what was run is an .ipynb, and paired with nothing
    return _valid(path, document)


def _valid(path: Path, document: dict[str, Any]) -> Any:
    node = nbformat().from_dict(document)
    from nbformat.validator import NotebookValidationError, normalize, validate

    try:
        with _filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of missing and repeated ids, which are mended here
            _, found = normalize(node)
        validate(found, relax_add_props=True)
    except NotebookValidationError as error:
        raise _invalid(path, str(error).splitlines()[0]) from None
    return found


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise NotebookError(f"There is no notebook at '{path}'.", cure=_near(path))
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise NotebookError(f"'{path}' is not a notebook: it is not UTF-8 text.", cure="Save it in Jupyter.") from None
    except (OSError, ValueError) as error:  # too long a name, a NUL, no permission
        why = getattr(error, "strerror", None) or error
        raise NotebookError(f"'{str(path)[:200]}' cannot be read: {why}.") from None


def _invalid(path: Path, problem: str) -> NotebookError:
    return NotebookError(f"'{path}' is not a valid notebook: {problem:.300}.", cure="Open and save it in Jupyter.")


def _parsed(path: Path, text: str) -> Any:
    if not text.strip():
        raise NotebookError(f"'{path}' is not a notebook: it is empty.")
    if text.startswith("\ufeff"):
        raise NotebookError(
            f"'{path}' begins with a byte order mark, with which Jupyter cannot open it either.",
            cure="Save it as UTF-8 without BOM.",
        )
    if is_text(path):
        return parse_text(path, text)
    try:
        return json.loads(text)
    except RecursionError:
        raise NotebookError(f"'{path}' is not a notebook: it is nested too deeply.") from None
    except ValueError as error:
        raise NotebookError(f"'{path}' is not a notebook: it is not valid JSON ({error}).") from None


def _near(path: Path) -> str:
    kinds = (".ipynb", *TEXTS)
    names = [p.name for p in path.parent.iterdir() if p.suffix in kinds] if path.parent.is_dir() else []
    close = nearest(path.name, names)
    return f"Did you mean '{path.parent / close}'?" if close else ""


def _malformed(document: Mapping[str, Any]) -> str:
    """What is not as nbformat 4 has it, of all that p2p reads."""
    if not isinstance(document.get("metadata", {}), dict):
        return "its metadata is no mapping"
    minor = document.get("nbformat_minor", 4)
    if type(minor) is not int or minor < 0:
        return f"its nbformat_minor is {minor!r:.20}"
    cells = document.get("cells")
    if not isinstance(cells, list):
        return "it has no list of cells"
    problems = (f"cell {number} {problem}" for number, cell in enumerate(cells, 1) if (problem := _bad_cell(cell)))
    return next(problems, "")


def _bad_cell(cell: Any) -> str:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata", {}), dict):
        return "is no mapping, or its metadata is none"
    if cell.get("cell_type") not in _CELL_TYPES:
        return f"has the unknown type {cell.get('cell_type')!r:.40}"
    if not _is_text(cell.get("source", "")):
        return "has a source that is no text"
    tags = cell.get("metadata", {}).get("tags", [])
    return (
        "" if isinstance(tags, list) and all(isinstance(t, str) for t in tags) else "has tags that are no list of texts"
    )


def _is_text(source: Any) -> bool:
    return isinstance(source, str) or (isinstance(source, Sequence) and all(isinstance(line, str) for line in source))


def _language(metadata: Mapping[str, Any]) -> str:
    """What the notebook says it is written in; a kernel that tells only its name is known by that."""
    kernel, info = (metadata.get(key) or {} for key in ("kernelspec", "language_info"))
    told = [part.get(key) for part, key in ((kernel, "language"), (info, "name")) if isinstance(part, dict)]
    name = str(kernel.get("name", "")) if isinstance(kernel, dict) else ""
    language = next((text for text in told if text), name if _OTHER_KERNELS.fullmatch(name) else "python")
    return "python" if re.fullmatch(r"i?python\W?3?", str(language).lower()) else str(language)[:40]
