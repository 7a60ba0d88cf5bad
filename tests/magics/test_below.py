"""A command below a cell: how far it is, in one output of the cell, and what it says as it says it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from p2p.magics import below
from p2p.magics.below import Standing, ran_below

HOSTILE = "<img src=x onerror=alert(1)>"
TELLS = (
    "import sys; from p2p.cli.board import board; at = board(); "
    "at.show('one'); print('said', flush=True); "
    "at.show('two', done=1, total=2, lines=['a', 'b'], last=True); sys.exit(3)"
)


class Handle:
    """What IPython gives for an output that can be put in place of itself."""

    def __init__(self, shown: list[tuple[str, str]]) -> None:
        self.shown = shown

    def update(self, standing: Any) -> None:
        self.shown.append(("update", repr(standing)))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the cell is given to show; there is no kernel that could show it."""
    found: list[tuple[str, str]] = []

    def display(standing: Any, display_id: bool) -> Handle:
        found.append(("display", repr(standing)))
        return Handle(found)

    monkeypatch.setattr("IPython.display.display", display)
    return found


def test_one_output_goes_along_with_the_command(
    shown: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran_below([sys.executable, "-c", TELLS], "p2p sweep", {}) == 3
    assert shown == [("display", "p2p sweep: one"), ("update", "p2p sweep: two\n  a\n  b")]
    assert capsys.readouterr().out == "said\n"


def test_a_command_that_tells_nothing_has_no_such_output(
    shown: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    garbage = "import os; os.write(int(os.environ['P2P_BOARD']), b'{\\n[]\\n{}\\n'); print('done')"
    assert ran_below([sys.executable, "-c", garbage], "p2p params", {}) == 0
    assert shown == []
    assert capsys.readouterr().out == "done\n"


def test_where_there_are_no_such_pipes_the_command_runs_all_the_same(
    shown: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(below, "_HAS_PIPES", False)
    code = "import os; print(os.environ.get('P2P_BOARD'))"
    assert ran_below([sys.executable, "-c", code], "p2p params", {}) == 0
    assert capsys.readouterr().out == "None\n"


def test_nothing_of_it_is_html_or_a_control_sequence() -> None:
    standing = Standing(
        "p2p run", {"head": HOSTILE, "done": 1, "total": 4, "lines": [f"{HOSTILE}\x1b[2J"], "last": False}
    )
    page = standing._repr_html_()
    assert "<img" not in page
    assert page.count("&lt;img") == 3
    assert '<progress style="width:20em" value="1" max="4"' in page
    assert "\x1b" not in page + repr(standing)
    ended = Standing("p2p run", {**standing.told, "last": True})
    assert "<progress" not in ended._repr_html_()
