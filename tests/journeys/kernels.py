"""A notebook run by hand: each of its code cells sent to a kernel, as Jupyter does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

from p2p.notebook import read_notebook


def run_by_hand(path: Path, environment: Mapping[str, str]) -> list[str]:
    """Run every code cell, then close the kernel; gives what went wrong, a line an error."""
    manager, client = start_new_kernel(kernel_name="python3", env=dict(environment), cwd=str(path.parent))
    errors: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "error":
            errors.append(f"{message['content']['ename']}: {message['content']['evalue']}")

    try:
        for cell in read_notebook(path).cells:
            client.execute_interactive(cell.source, output_hook=hear, allow_stdin=False, timeout=300)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    return errors
