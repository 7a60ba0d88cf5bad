"""The packages that only schedules need: imported when they are used, and named where they are not installed."""

from __future__ import annotations

import importlib
from typing import Any

from p2p.errors import InputRefused


def needed(module: str, for_what: str) -> Any:
    """A module of the extra `schedule`.

    Raises:
        InputRefused: it is not installed; says what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise InputRefused(
            f"{for_what} needs the package {module.partition('.')[0]!r}.",
            cure='Install it: pip install "p2p-toolkit[schedule]".',
        ) from None
