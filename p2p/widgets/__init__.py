"""The panel in a notebook: what runs, with which parameters, what came of it, and how it ships."""

from p2p.widgets.answering import panel

__all__ = ["panel"]
