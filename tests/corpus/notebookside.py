"""Runs a notebook's cells in a fresh headless shell with p2p loaded, and keeps what its steps gave."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from p2p.execution import Services
from p2p.magics import extension
from p2p.magics.borders import Borders
from p2p.magics.cellstep import is_data
from p2p.magics.headless import make_headless
from p2p.magics.leftovers import names_read
from p2p.notebook import read_notebook
from p2p.store import DiskStore, encode
from p2p.tracking import Journal

_SHELLS = ("In", "Out", "exit", "quit", "open", "get_ipython", "_dh", "_ih", "_oh")


class _Session:
    """Stands in for the session of a kernel that belongs to a run."""

    def __init__(self, services: Services, needed: frozenset[str]) -> None:
        self.run_id = "corpus"
        self.needed = needed
        self._services = services

    def services(self) -> Services:
        return self._services

    def end(self) -> None:
        pass


class _Shell(InteractiveShell):
    """A shell for which, as for a kernel's, there is an event loop of inline figures: none."""

    def enable_gui(self, gui: str | None = None) -> None:
        pass


def work(folder: str, notebook: str) -> dict[str, Any]:
    """Run the notebook at that path; its journal, its values and what was seen of them go to `folder`.

    Returns:
        `failed`: the number of the cell that failed and its error, or None.
    """
    cells = read_notebook(Path(notebook)).cells
    os.chdir(Path(notebook).parent)
    sys.path.insert(0, "")
    store = DiskStore(Path(folder) / "values")
    journal = Journal(Path(folder) / "recorded")
    services = Services(
        events=journal, values=store, directory=journal.directory, keep_figures=True, run="corpus"
    )  # fmt: skip
    shell = _shell(_Session(services, names_read([cell.source for cell in cells])))
    seen: dict[int, Any] = {}
    for cell in cells:
        result = shell.run_cell(cell.source, store_history=True, cell_id=cell.id)
        if not result.success:
            return {"failed": [cell.number, repr(result.error_before_exec or result.error_in_exec)]}
        seen[cell.number] = _seen(shell.user_ns)
    (Path(folder) / "seen.json").write_text(json.dumps(seen), encoding="utf-8")
    return {"failed": None}


def _seen(namespace: dict[str, Any]) -> dict[str, Any]:
    """References of all that the notebook's names stand for now; functions and classes have no digest."""
    ours = [n for n in namespace if n not in _SHELLS and not re.fullmatch(r"_i?\d*|_i+|__\w*", n)]
    return {n: encode(namespace[n])[0].as_dict() for n in ours if is_data(namespace[n])}


def prepare() -> None:
    """Make the shell; it stands ready in each fork."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    _Shell.instance(config=config)


def _shell(session: _Session) -> Any:
    def recording(own: Any) -> _Session:
        own.borders = Borders(session.services().events, session.needed)
        return session

    extension.Extension._session = recording  # type: ignore[method-assign,assignment]  # in a fork
    shell = _Shell.instance()
    make_headless(shell, 1_000_000)
    extension.load(shell)
    return shell
