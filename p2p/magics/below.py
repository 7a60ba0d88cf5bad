"""A command of `p2p` run below a cell: what it says comes as it says it, and above that stands how far it is."""

from __future__ import annotations

import contextlib
import contextvars
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from p2p.tracking import guard

_BOARD: Final = "P2P_BOARD"  # as `p2p.cli.board` has it
_HAS_PIPES: Final = os.name == "posix"  # that a process can be handed
_PATIENCE: Final = 2.0  # seconds until what the command has written last has been read


class Standing:
    """How far a command is, as a cell shows it: HTML in a notebook, and text, which is what stays in a file.

    Attributes:
        command: the command.
        told: what it has told last.
    """

    def __init__(self, command: str, told: Mapping[str, Any]) -> None:
        self.command = command
        self.told = told

    def __repr__(self) -> str:
        from p2p.terminal import visible

        lines = [f"  {line}" for line in self.told["lines"]]
        return visible("\n".join([f"{self.command}: {self.told['head']}", *lines]))

    def _repr_html_(self) -> str:
        from p2p import markup

        parts: list[object] = [markup.title(self.command, self.told["head"])]
        if self.told["total"] and not self.told["last"]:
            parts.append(markup.bar(self.told["done"], self.told["total"], self.told["head"]))
        if self.told["lines"]:
            parts.append(markup.code("\n".join(self.told["lines"])))
        return str(markup.joined(parts))


class _Display:
    """One output of the cell, in which each state takes the place of the last; there is none before the first."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._handle: Any = None

    def show(self, told: Mapping[str, Any]) -> None:
        from IPython.display import display

        standing = Standing(self._command, told)
        if self._handle is None:
            self._handle = display(standing, display_id=True)  # type: ignore[no-untyped-call]  # IPython's
        else:
            self._handle.update(standing)


def ran_below(arguments: Sequence[str], command: str, more: Mapping[str, str]) -> int:
    """Run a command in a process of its own; gives its exit code.

    Args:
        arguments: the command line.
        command: what to call it.
        more: variables of its environment, besides what it would have outside of this notebook.
    """
    with _board(_Display(command)) as descriptor:
        told = {} if descriptor is None else {_BOARD: str(descriptor)}
        with subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            errors="replace", env={**guard.outside(), **more, **told},
            pass_fds=() if descriptor is None else (descriptor,),
        ) as process:  # fmt: skip
            _pass_on(process)
    return process.returncode


def _pass_on(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            sys.stdout.write(line)
    except KeyboardInterrupt:
        process.wait()  # it has had the interrupt too, and ends its run
        raise


@contextmanager
def _board(display: _Display) -> Iterator[int | None]:
    """A descriptor for the block's process, on which it tells how far it is; None on a system without such."""
    if not _HAS_PIPES:
        yield None
        return
    reading, writing = os.pipe()
    follow = contextvars.copy_context().run  # which knows the cell whose output it is
    reader = threading.Thread(target=follow, args=(_follow, reading, display), name="p2p-board", daemon=True)
    try:
        reader.start()
        yield writing
    finally:
        os.close(writing)
        reader.join(_PATIENCE)


def _follow(reading: int, display: _Display) -> None:
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            told = _told(line)
            if told is not None:
                display.show(told)


def _told(line: str) -> dict[str, Any] | None:
    """What a line says; None for one that was cut short, as its process was killed."""
    with contextlib.suppress(ValueError):
        told = json.loads(line)
        if isinstance(told, dict) and told.keys() >= {"head", "done", "total", "lines", "last"}:
            return told
    return None
