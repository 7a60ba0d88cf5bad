"""The executed notebook as an HTML page, by nbconvert, which is made ready while the kernel is at work."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from p2p.notebook.nodes import nbformat


class PageMaker:
    """Makes pages; most of the time that the first one takes can be spent before there is anything to put on it."""

    def __init__(self) -> None:
        self._exporter: Any = None
        self._thread = threading.Thread()

    def begin(self, document: Any) -> None:
        """Get ready, in a thread, for the page of a notebook with the code cells of `document`."""
        self._thread = threading.Thread(target=self._make_ready, args=(document,), name="p2p-html", daemon=True)
        self._thread.start()

    def page(self, path: Path) -> str:
        """The notebook at `path`, whole."""
        if self._thread.is_alive():
            self._thread.join()
        exporter = self._exporter or _exporter()
        body, _resources = exporter.from_filename(str(path))
        return str(body)

    def _make_ready(self, document: Any) -> None:
        """Import nbconvert, compile its templates by using them once, and have the code on the page highlighted."""
        with contextlib.suppress(Exception):  # whatever is wrong is raised again where a page is wanted
            self._exporter = _exporter()
            v4 = nbformat().v4
            code = [cell for cell in document.cells if cell.cell_type == "code"]
            self._exporter.from_notebook_node(
                v4.new_notebook(cells=[*map(_without_outputs, code), v4.new_markdown_cell("1")])
            )


def _without_outputs(cell: Any) -> Any:
    return nbformat().v4.new_code_cell(cell.source, metadata=cell.metadata)


def _exporter() -> Any:
    from nbconvert import HTMLExporter
    from nbconvert.filters import Highlight2HTML, clean_html

    highlight = Highlight2HTML()  # type: ignore[no-untyped-call]  # it has no types
    filters = {"highlight_code": _remembered(highlight), "clean_html": functools.cache(clean_html)}
    # Validated once, not after each preprocessor.
    return HTMLExporter(optimistic_validation=True, filters=filters)  # type: ignore[no-untyped-call]  # it has no types


def _remembered(highlight: Callable[..., str]) -> Callable[..., str]:
    """The filter, which looks at no more of a cell's metadata than `magics_language`."""
    known = functools.cache(lambda source, language, *magics: highlight(source, language, dict(magics)))

    def highlighted(source: str, language: str | None = None, metadata: Any = None) -> str:
        return known(source, language, *((k, v) for k, v in (metadata or {}).items() if k == "magics_language"))

    return highlighted
