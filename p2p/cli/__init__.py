"""The command line: parse, call one function, show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2p.pipeline import Pipeline

__all__ = ["main", "module_main"]


def main() -> None:
    """The `p2p` command."""
    from p2p.cli.app import main as run

    run()


def module_main(pipeline: Pipeline, arguments: Sequence[str] | None = None) -> int:
    """The command of an exported pipeline; gives its exit code."""
    from p2p.cli.module import module_main as run

    return run(pipeline, arguments)
