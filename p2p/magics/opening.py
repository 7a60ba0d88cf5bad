"""`%p2p ui`: MLflow's UI beside the notebook, and a link to the notebook's experiment in it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from p2p.errors import InputRefused
from p2p.mlui import address_of, experiment_place, serve, served_elsewhere
from p2p.settings import Settings

HEADLESS = "MLflow's UI is not started in a run that nobody looks at; in a terminal: p2p ui"


class Opened:
    """Where MLflow's UI is, for people: a link in a notebook, its address elsewhere.

    Attributes:
        address: what to open.
        what: what is seen there.
        until: how long.
    """

    def __init__(self, address: str, what: str, until: str) -> None:
        self.address = address
        self.what = what
        self.until = until

    def __repr__(self) -> str:
        return f"{self.what} in MLflow: {self.address}  ({self.until})"

    def _repr_html_(self) -> str:
        from p2p import markup  # late: a kernel that shows no link loads no more than it needs

        shown = markup.joined([markup.text(f"{self.what} in MLflow: "), markup.link(self.address)])
        return str(markup.title(shown, self.until))


def open_ui(settings: Settings, notebook: Path | None, words: Sequence[str] = ()) -> Opened:
    """Start the UI where it is not there yet, and wait until it answers.

    Args:
        settings: the project's.
        notebook: this one.
        words: `--port` and a number, or none.

    Raises:
        P2PError: it cannot be started; with what it said last.
    """
    port = _port(words)
    elsewhere = served_elsewhere(settings) is not None
    if not elsewhere and not serve(settings, port).is_ready:
        sys.stdout.write("MLflow's UI is starting; that takes about ten seconds.\n")
        sys.stdout.flush()
    address = address_of(settings, port)
    until = "the tracking server of this project" if elsewhere else "as long as this kernel lives, on its machine"
    name = settings.experiment or (notebook.stem if notebook is not None else "session")
    place = experiment_place(address, name)
    if place is None:
        return Opened(address, f"No runs of '{name}' are to be seen yet. All experiments", until)
    return Opened(place, f"Runs of '{name}'", until)


def _port(words: Sequence[str]) -> int | None:
    given = [*words[:-1], *words[-1].split("=", 1)] if words else []
    match given:
        case []:
            return None
        case ["--port", number] if number.isdecimal() and 0 < int(number) < 65536:
            return int(number)
    raise InputRefused(f"'%p2p ui {' '.join(words)}' is not understood.", cure="Write %p2p ui, or %p2p ui --port 5000.")
