"""Completion of `%p2p` and of the options of `%%step`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from p2p.magics.line import COMMANDS, HERE
from p2p.policy import OPTIONS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def words_of(line: str) -> Sequence[str]:
    """What may come next in a line that begins with one of the magics."""
    first, *rest = line.split(" ")
    if first == "%%step":
        return [f"--{name.replace('_', '-')}" for name in OPTIONS]
    if first != "%p2p" or len(rest) > 2:
        return []
    if len(rest) == 2:
        return ["--stale"] if rest[0] == "run" else []
    return list(dict.fromkeys([*(name.split()[0] for name in HERE), *COMMANDS]))


def complete_magics(shell: InteractiveShell) -> None:
    """Have IPython, and so Jupyter, complete the magics' words."""

    def matches(_shell: Any, event: Any) -> list[str]:
        return [word for word in words_of(event.line) if word.startswith(event.symbol)]

    for key in ("%p2p", "%%step"):
        shell.set_hook("complete_command", matches, str_key=key)  # type: ignore[no-untyped-call]  # IPython's
