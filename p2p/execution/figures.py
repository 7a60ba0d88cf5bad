"""Figures drawn in a step: saved beside the run, so that they are found wherever the step ran."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Figures:
    """Saves the figures that a step draws, once each, as `figures/<step>-<n>.png`.

    Args:
        directory: the run's own.
        step: the step's name.
        keep_open: leave them open at the end, because a notebook shows them; otherwise they are closed, so that a
            pipeline neither leaks nor shows them.
    """

    def __init__(self, directory: Path, step: str, *, keep_open: bool) -> None:
        self.paths: list[Path] = []
        self._directory = directory
        self._step = step
        self._keep_open = keep_open
        self._before = _open_figures()

    def save(self) -> None:
        """Save the figures opened since the last time."""
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        for number in sorted(_open_figures() - self._before):
            folder = self._directory / "figures"
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{self._step[:100]}-{len(self.paths) + 1}.png"
            pyplot.figure(number).savefig(path, bbox_inches="tight", metadata={"Software": None})
            self.paths.append(path)
            self._done_with(number)

    def discard(self) -> None:
        """Forget what was drawn and not shown since the last time: its attempt failed."""
        for number in _open_figures() - self._before:
            self._done_with(number)

    def _done_with(self, number: int) -> None:
        if self._keep_open:
            for figures in (self, *_collecting):  # the steps around this one would save it once more
                figures._before.add(number)
        else:
            sys.modules["matplotlib.pyplot"].close(number)

    def shown(self) -> None:
        """A notebook's backend is about to show and close all open figures: save them, and start to count anew."""
        self.save()
        self._before = set()


def close_all() -> None:
    """Close what others have left open: what a step draws must not end up in a figure of another one."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@contextmanager
def collected(directory: Path, step: str, *, keep_open: bool) -> Iterator[Figures]:
    """In the block, figures are saved when the code shows them; `save` takes those that are still open at its end."""
    figures = Figures(directory, step, keep_open=keep_open)
    _collecting.append(figures)
    try:
        with _saving_show(figures, keep_open=keep_open):
            yield figures
    finally:
        figures.discard()
        _collecting.remove(figures)


@contextmanager
def _saving_show(figures: Figures, *, keep_open: bool) -> Iterator[None]:
    """In the block, matplotlib's `show` saves figures before it may close them."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        yield
        return
    show = pyplot.show

    def saving_show(*args: Any, **kwargs: Any) -> Any:
        figures.shown()
        return show(*args, **kwargs) if keep_open else None

    pyplot.show = saving_show
    try:
        yield
    finally:
        pyplot.show = show


_collecting: list[Figures] = []


def _open_figures() -> set[int]:
    """The numbers of matplotlib's open figures; empty when it is not loaded."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()
