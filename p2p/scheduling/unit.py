"""A unit by which systemd runs the service, in systemd's own quoting."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from p2p.errors import InputRefused
from p2p.scheduling.workers import PATIENCE as WORKERS_PATIENCE

_SLACK: Final = 30.0  # seconds: alerts, the page and the processes that kernels are forked from end too
_UNIT: Final = """\
# p2p's scheduler for the project {project}. As a service of yours, without root:
#   p2p schedule start --print-systemd-unit > ~/.config/systemd/user/p2p-{slug}.service
#   systemctl --user daemon-reload && systemctl --user enable --now p2p-{slug}
#   loginctl enable-linger    (so that it also runs while you are logged out)
# As one of the machine, put it into /etc/systemd/system and add a line `User=` to [Service].
[Unit]
Description=p2p scheduler of {project}
After=network.target

[Service]
Type=exec
WorkingDirectory={directory}
Environment={environment}
# Passwords, and the variables of alerts to env:NAME: lines NAME=VALUE in this file, which only you may read.
EnvironmentFile=-{secrets}
ExecStart={command}
Restart=on-failure
RestartSec=10
# SIGTERM goes to the scheduler alone, which has its runs end, and puts down what became of them.
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec={patience:.0f}

[Install]
WantedBy=default.target
"""


def unit(root: Path, arguments: Sequence[str], patience: float) -> str:
    """The text of a unit that runs `p2p schedule start` in a project, with this interpreter.

    Args:
        root: the project.
        arguments: of the command, after `start`.
        patience: seconds that runs get to end by themselves.

    Raises:
        InputRefused: a path holds what no unit can.
    """
    command = [sys.executable, "-m", "p2p", "schedule", "start", *arguments]
    secrets = root / "mlruns" / "p2p" / "service.env"
    return _UNIT.format(
        project=_plain(root.name), slug="".join(c if c.isascii() and c.isalnum() else "-" for c in root.name),
        directory=_path(str(root)), environment=_quoted(f"P2P_ROOT={root}"), secrets=_path(str(secrets)),
        command=" ".join(_word(one) for one in command),
        patience=patience + 2 * patience + WORKERS_PATIENCE + _SLACK,
    )  # fmt: skip


def _path(text: str) -> str:
    """A path that is all of a line's value, where systemd takes off no quotes."""
    _check(text)
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """One word of several, with what systemd reads in it escaped: backslashes, quotes, and its specifiers."""
    _check(text)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _word(text: str) -> str:
    """A word of a command line, where a dollar names a variable."""
    return _quoted(text.replace("$", "$$"))


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text).replace("%", "%%")


def _check(text: str) -> None:
    if not text.isprintable() or text != text.strip() or text.endswith("\\"):
        raise InputRefused(
            f"{text!r:.120} cannot stand in a unit of systemd.", cure="Give the project a path of plain characters."
        )
