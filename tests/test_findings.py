"""Findings for people, and on their way from a command to the notebook that called it."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2p import findings
from p2p.errors import EvidenceRefused
from p2p.model import Finding

HOSTILE = "<img src=x onerror=alert(1)>"
REFUSAL = EvidenceRefused(
    f"'{HOSTILE}' was not exported.", [Finding("cell 3", f"it reads {HOSTILE}", "another run gives another", "sort it")]
)


def test_people_see_where_what_why_and_the_cure_and_no_active_node() -> None:
    shown = findings.of(REFUSAL)
    page = shown._repr_html_()
    for text in ("cell 3", "it reads &lt;img", "another run gives another", "sort it", "not exported"):
        assert text in page
    assert "<img" not in page
    assert repr(shown).splitlines()[1:] == [
        f"  • cell 3: it reads {HOSTILE}", "    another run gives another", "    sort it",
    ]  # fmt: skip
    assert "\x1b" not in repr(findings.Findings("\x1b]0;title\x07", []))


def test_a_refusal_arrives_as_it_was_sent(tmp_path: Path) -> None:
    place = tmp_path / "refusal.json"
    assert findings.hand_over(REFUSAL, place)
    arrived = findings.handed_over(place)
    assert arrived is not None
    assert (arrived.message, arrived.findings) == (str(REFUSAL), REFUSAL.findings)
    assert not findings.hand_over(REFUSAL, tmp_path / "no" / "such")


@pytest.mark.parametrize("written", [None, "", "{", "[]", '{"message": "m", "findings": [{"where": 1}]}'])
def test_what_is_no_refusal_is_none(tmp_path: Path, written: str | None) -> None:
    place = tmp_path / "refusal.json"
    if written is not None:
        place.write_text(written)
    assert findings.handed_over(place) is None


def test_the_destination_is_for_one_command_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A command that this one starts must not write there."""
    monkeypatch.setenv(findings.VARIABLE, str(tmp_path))
    assert findings.destination() == tmp_path
    assert findings.destination() is None
