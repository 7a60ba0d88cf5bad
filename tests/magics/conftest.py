"""A real IPython shell in this process, whose run is kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from p2p.execution import Services
from p2p.session import interactive
from tests.shells import real_shell


class MemorySession:
    """Stands in for the session of a kernel."""

    needed: frozenset[str] = frozenset()

    def __init__(self, services: Services, listen: Callable[..., None] | None = None) -> None:
        self.run_id = "run-1"
        self.ended = 0
        events = interactive._Watched(services.events, {}, listen)
        self._services = replace(services, events=events)

    def services(self) -> Services:
        return self._services

    def end(self) -> None:
        self.ended += 1


class Shell:
    """Runs cells and tells what became of them."""

    def __init__(self, shell: Any, session: MemorySession) -> None:
        self.shell = shell
        self.session = session
        self.names: dict[str, Any] = shell.user_ns

    def run(self, cell: str, cell_id: str | None = None) -> Any:
        """The result of a cell that must succeed."""
        result = self.try_run(cell, cell_id)
        result.raise_error()
        return result

    def try_run(self, cell: str, cell_id: str | None = None) -> Any:
        return self.shell.run_cell(cell, store_history=True, cell_id=cell_id)

    def refused(self, cell: str) -> str:
        """The message of the error that a cell ends with."""
        result = self.try_run(cell)
        error = result.error_before_exec or result.error_in_exec
        assert error is not None, "the cell was not refused"
        return f"{type(error).__name__}: {error}"


@pytest.fixture
def shell(services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Shell]:
    from p2p.magics import extension

    def session(of: extension.Extension) -> MemorySession:
        return MemorySession(services, of.ranning.append)

    monkeypatch.setattr(extension.Extension, "_session", session)
    with real_shell(tmp_path, monkeypatch) as made:
        extension.load(made)
        try:
            yield Shell(made, getattr(made, extension._ATTRIBUTE).session)
        finally:
            extension.unload(made)
