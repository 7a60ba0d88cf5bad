"""Notebooks that are kept as text, as jupytext reads and writes them: `.py` in cells, `.md`, `.Rmd`, `.qmd`."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from p2p.errors import NotebookError
from p2p.notebook.nodes import nbformat

TEXTS: Final = (".py", ".md", ".Rmd", ".qmd")
_INSTALL: Final = "Install it: pip install 'p2p-toolkit[jupytext]'."
_QUARTO: Final = "Install Quarto from https://quarto.org, or keep the notebook as .md or .py."
_CELL: Final = re.compile(r"^# ?%%(?:[ \t\[].*)?$", re.MULTILINE)  # `# %%step load` begins no cell: it is a mark
_HEADER: Final = re.compile(r"\A(?:#!.*\n|# -\*-.*\n)*(?P<fence>(?:# )?---)\n(?:.*\n)*?(?P=fence)\n")
_JUPYTEXT: Final = re.compile(r"^(?:# )?(?:jupyter|jupytext|kernelspec):", re.MULTILINE)  # keys of its header
_MARK: Final = re.compile(r"^(?:# )?%%step\s", re.MULTILINE)


def is_text(path: Path) -> bool:
    """Whether a file of this name is a notebook as text, if it is a notebook."""
    return path.suffix in TEXTS


def counts_as_notebook(path: Path) -> bool:
    """Whether a file that nobody has named is a text notebook of its own: no helper, no README, no half of a pair."""
    if path.with_suffix(".ipynb").exists():
        return False
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return _has_cells(text) if path.suffix == ".py" else _has_header(text) or bool(_MARK.search(text))


def parse_text(path: Path, text: str) -> dict[str, Any]:
    """The text of the file at `path` as a document of format 4; read twice, it is the same, with the same cell ids.

    Raises:
        NotebookError: it is no notebook, cannot be read, or jupytext is not installed.
    """
    whole = _read(path, text)
    document: dict[str, Any] = json.loads(json.dumps(whole))
    metadata = document["metadata"]
    language = metadata.get("jupytext", {}).get("main_language", "python")
    if "kernelspec" not in metadata and language != "python":
        metadata["language_info"] = {"name": language}
    _name_cells(document["cells"])
    document["nbformat_minor"] = 5  # the first with ids
    return document


def rewrite_text(path: Path, text: str, change: Callable[[list[Any]], None]) -> str:
    """The text of a notebook whose cells `change` has changed; of the others, every byte is as it was.

    Raises:
        NotebookError: jupytext would write something else differently, too, or the text cannot hold the change.
    """
    ends = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    whole = _read(path, plain)
    if _written(path, whole, plain).replace("\n", ends) != text:
        raise NotebookError(
            f"'{path}' cannot be edited: jupytext would also write other parts of it differently.",
            cure=f"Have jupytext write it once, look at the difference, and try again: {_writes_itself(path, whole)}",
        )
    whole = _read(path, plain)
    change(whole.cells)
    result = _written(path, whole, plain)
    if _meaning(_read(path, result)) != _meaning(whole):
        raise NotebookError(f"'{path}' cannot be edited: its format does not hold what the cells would be.")
    return result.replace("\n", ends)


def jupytext(path: Path, name: str = "jupytext") -> Any:
    """The module jupytext, or one of its modules; NotebookError says that `path` needs it where it is missing."""
    nbformat()
    try:
        return importlib.import_module(name)
    except ImportError:
        raise NotebookError(f"'{path}' needs jupytext, which is not installed here.", cure=_INSTALL) from None


def _has_header(text: str) -> bool:
    match = _HEADER.match(text.replace("\r\n", "\n"))
    return match is not None and _JUPYTEXT.search(match[0]) is not None


def _has_cells(text: str) -> bool:
    return bool(_CELL.search(text.replace("\r\n", "\n"))) or _has_header(text)


def _read(path: Path, text: str) -> Any:
    if path.suffix == ".py" and not _has_cells(text):
        raise NotebookError(
            f"'{path}' is a plain script and no notebook: it has no `# %%` cells and no header of jupytext's.",
            cure="Put a line `# %%` above each cell. The steps of a plain script are tracked by p2p.run(...).",
        )
    module = jupytext(path)
    try:
        whole = module.reads(text, fmt=path.suffix[1:], as_version=4)
    except Exception as error:  # noqa: BLE001  # jupytext's errors, and those of its parsers, have no common base
        cure = _QUARTO if path.suffix == ".qmd" and "quarto" in str(error).lower() else ""
        raise NotebookError(f"'{path}' is not a notebook that jupytext can read: {_told(error)}.", cure=cure) from None
    if not any(cell.cell_type == "code" for cell in whole.cells):
        raise NotebookError(f"'{path}' is not a notebook: it has no code cells.", cure=_cells_cure(path))
    return whole


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__


def _cells_cure(path: Path) -> str:
    return "Put a line `# %%` above each cell." if path.suffix == ".py" else "Begin each with ```python."


def _written(path: Path, whole: Any, before: str) -> str:
    """The notebook as text, below the header that the text had before: there jupytext would note its own version."""
    kept = whole.metadata.get("jupytext", {})
    if kept.get("cell_metadata_filter") == "-all":  # so it reads a file whose cells have no tags yet
        kept["cell_metadata_filter"] = "tags,-all"
    try:
        text = str(jupytext(path).writes(whole, fmt=path.suffix[1:]))
    except Exception as error:  # noqa: BLE001  # see above
        raise NotebookError(f"'{path}' cannot be edited: jupytext cannot write it ({_told(error)}).") from None
    old, new = _HEADER.match(before), _HEADER.match(text)
    return old[0] + text[new.end() :] if old and new else text


def _writes_itself(path: Path, whole: Any) -> str:
    """The command by which jupytext reads the file and writes it in the same format."""
    name = whole.metadata.get("jupytext", {}).get("text_representation", {}).get("format_name", "")
    return f"jupytext --to {path.suffix[1:]}{name and ':'}{name} {path}"


def _meaning(whole: Any) -> list[tuple[str, str, list[str]]]:
    return [(cell.cell_type, cell.source.rstrip("\n"), list(cell.metadata.get("tags", ()))) for cell in whole.cells]


def _name_cells(cells: list[dict[str, Any]]) -> None:
    """Give each cell an id that is told by its text, as jupytext's are random; cells that are alike are counted."""
    seen: Counter[str] = Counter()
    for cell in cells:
        name = blake3(f"{cell['cell_type']}\n{cell['source']}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
        seen[name] += 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
