"""The files of a jupytext pair: one notebook, kept as `.ipynb` and as text."""

from __future__ import annotations

from pathlib import Path

from p2p.errors import NotebookError
from p2p.notebook.document import Notebook, read_notebook
from p2p.notebook.loading import load_notebook
from p2p.notebook.texts import jupytext


def partners(notebook: Notebook) -> list[Notebook]:
    """The other files of the notebook's pair that are there.

    Raises:
        NotebookError: one of them has other code cells, its pairing is not understood, or jupytext is not installed.
    """
    found = [read_notebook(path) for path in _partner_paths(notebook.path) if path.is_file()]
    for other in found:
        if _code(other) != _code(notebook):
            raise NotebookError(
                f"'{other.path}' is paired with '{notebook.path}', and has other code cells.",
                cure=f"Bring the two together first: jupytext --sync {notebook.path}",
            )
    return found


def _code(notebook: Notebook) -> list[str]:
    """The code cells, as far as both formats hold them: a text may be told to leave tags out, and ends no cell."""
    return [cell.source.rstrip("\n") for cell in notebook.cells]


def _partner_paths(path: Path) -> list[Path]:
    metadata = load_notebook(path).get("metadata", {})
    told = metadata.get("jupytext")
    formats = told.get("formats") if isinstance(told, dict) else None
    if not formats:
        return []
    long_form = jupytext(path, "jupytext.formats").long_form_multiple_formats
    pairing = jupytext(path, "jupytext.paired_paths")
    try:
        known = long_form(formats, metadata)
        _, own = pairing.find_base_path_and_format(str(path), known)
        paths = [Path(found) for found, _ in pairing.paired_paths(str(path), own, known)]
    except Exception as error:  # noqa: BLE001  # jupytext's errors have no common base
        raise NotebookError(f"The pairing of '{path}' ({formats!r:.80}) is not understood: {error}") from None
    return [other for other in paths if other != path]
