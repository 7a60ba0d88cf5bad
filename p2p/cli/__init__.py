"""The command line: parse, call one function, show."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from p2p.pipeline import Pipeline

__all__ = ["command", "main", "module_main"]


def command() -> NoReturn:
    """The `p2p` command as a process of its own, which ends with it."""
    try:
        main()
    except SystemExit as ended:
        # What papermill brings takes 0.1 s to be taken apart. A notebook's code ran elsewhere; a pipeline's ran here.
        if isinstance(ended.code, int) and "papermill" in sys.modules and "pipelines" not in sys.modules:
            from p2p.session.ending import leave

            leave(ended.code)
        raise
    sys.exit(0)


def main() -> None:
    """What the `p2p` command does; raises SystemExit with its exit code."""
    from p2p.cli.app import main as run

    run()


def module_main(pipeline: Pipeline, arguments: Sequence[str] | None = None) -> int:
    """The command of an exported pipeline; gives its exit code."""
    from p2p.cli.module import module_main as run

    return run(pipeline, arguments)
