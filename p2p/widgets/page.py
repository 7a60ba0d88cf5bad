"""The page of the panel as a widget, and as what can be read where widgets are not shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget

from p2p.widgets import steps

if TYPE_CHECKING:
    from p2p.widgets.answering import Panel

_STATIC = Path(__file__).parent / "static"


class Page(anywidget.AnyWidget):
    """The panel's page; all it has is its code.

    Args:
        panel: answers what it asks.
    """

    _esm = (_STATIC / "panel.js").read_text(encoding="utf-8")
    _css = (_STATIC / "panel.css").read_text(encoding="utf-8")

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel
        panel.connect(self.send)
        self.on_msg(lambda _widget, content, _buffers: panel.asked(content))

    def close(self) -> None:
        self._panel.close()
        super().close()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget; beside it a table of the steps, for pages and files that were made of the notebook."""
        shown = super()._repr_mimebundle_(**options)
        bundle, metadata = shown if isinstance(shown, tuple) else (shown, {})
        table = steps.as_table(self._panel.kernel)
        return {**(bundle or {}), "text/plain": repr(table), "text/html": table._repr_html_()}, metadata
