"""p2p's own warnings, shown as the command's other messages."""

from __future__ import annotations

import logging
import os


class Warnings(logging.Handler):
    """Shows warnings on stderr, without secrets."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one; of a defect only what it is."""
        from p2p.cli.show import err
        from p2p.cli.text import escape
        from p2p.secrets import Masker, environment_secrets

        text = Masker(environment_secrets(os.environ)).text(record.getMessage())
        err.print(f"[yellow]warning:[/] {escape(text)}")
