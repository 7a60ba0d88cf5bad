from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from p2p.cli import main
from p2p.settings import Settings


@dataclass(frozen=True)
class Answer:
    """What the command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document that stdout must be."""
        return json.loads(self.out)


@pytest.fixture
def p2p(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Answer]]:
    """The `p2p` command, in this process: what it refuses, it refuses before it starts another one."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["p2p", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Answer(int(ended.value.code or 0), said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, before)
