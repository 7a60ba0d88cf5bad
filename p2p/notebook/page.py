"""The executed notebook as an HTML page, by nbconvert, which is made ready while the kernel is at work."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

from p2p.notebook.nodes import nbformat


class PageMaker:
    """Makes pages; most of the time that the first one takes can be spent before there is anything to put on it."""

    def __init__(self) -> None:
        self._exporter: Any = None
        self._thread = threading.Thread(target=self._make_ready, name="p2p-html", daemon=True)

    def begin(self) -> None:
        """Get ready, in a thread."""
        self._thread.start()

    def page(self, path: Path) -> str:
        """The notebook at `path`, whole."""
        if self._thread.is_alive():
            self._thread.join()
        exporter = self._exporter or _exporter()
        body, _resources = exporter.from_filename(str(path))
        return str(body)

    def _make_ready(self) -> None:
        """Import nbconvert, and compile its templates by using them once."""
        with contextlib.suppress(Exception):  # whatever is wrong is raised again where a page is wanted
            exporter = _exporter()
            v4 = nbformat().v4
            exporter.from_notebook_node(v4.new_notebook(cells=[v4.new_code_cell("1"), v4.new_markdown_cell("1")]))
            self._exporter = exporter


def _exporter() -> Any:
    from nbconvert import HTMLExporter

    # Validated once, not after each preprocessor.
    return HTMLExporter(optimistic_validation=True)  # type: ignore[no-untyped-call]  # it has no types
