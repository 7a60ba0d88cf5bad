"""A real kernel, and what a front end is sent for each cell."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


class Kernel:
    """A kernel and the messages that its cells send."""

    def __init__(self, root: Path) -> None:
        from jupyter_client.manager import KernelManager

        self.manager = KernelManager()
        self.manager.start_kernel(cwd=str(root), env={**os.environ, "MPLBACKEND": "agg"})
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)

    def run(self, cell: str, cell_id: str = "") -> list[tuple[str, Any]]:
        """What a front end is sent for a cell: the kind of each message and its content.

        Args:
            cell: its text.
            cell_id: what the front end calls it, as JupyterLab and VS Code tell with the request.
        """
        # Otherwise a kernel aborts what it is asked within an instant after an error.
        asks = {"code": cell, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = self.client.session.msg("execute_request", {**asks, "stop_on_error": False})
        message["metadata"] |= {"cellId": cell_id} if cell_id else {}
        self.client.shell_channel.send(message)
        asked = message["header"]["msg_id"]
        sent: list[tuple[str, Any]] = []
        while True:
            message = self.client.get_iopub_msg(timeout=120)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind not in ("status", "execute_input"):
                sent.append((kind, content))
        self.reply(asked)
        return sent

    def reply(self, asked: str) -> dict[str, Any]:
        """The kernel's answer to a request."""
        while True:
            message = self.client.get_shell_msg(timeout=120)
            if message["parent_header"].get("msg_id") == asked:
                return dict(message["content"])

    def value(self, cell: str) -> str:
        """The text of a cell's result."""
        sent = self.run(cell)
        found = [content["data"]["text/plain"] for kind, content in sent if kind == "execute_result"]
        assert found, sent
        return str(found[-1])

    def stop(self) -> None:
        self.client.shutdown()
        self.manager.finish_shutdown(waittime=60)

    def close(self) -> None:
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
