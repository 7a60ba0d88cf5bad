"""What people read."""

from __future__ import annotations

from datetime import UTC, datetime

from p2p.scheduling.messages import message_of
from p2p.scheduling.model import News

TIME = datetime(2026, 11, 28, 5, tzinfo=UTC)


def test_a_failure_says_all_that_is_needed_to_go_on() -> None:
    news = News(
        kind="failed", schedule="nightly", time=TIME, text="ValueError: no rows", run_id="3f2c", step="train it",
        zone="Europe/Berlin",
    )  # fmt: skip
    message = message_of(news, "flights", "http://127.0.0.1:5000/#/experiments/1/runs/3f2c")
    assert message.title == "flights: nightly failed, Sat 2026-11-28 06:00:00 CET"
    assert message.text.splitlines() == [
        "schedule: nightly (flights)",
        "kind: failed",
        "logical time: Sat 2026-11-28 06:00:00 CET (Europe/Berlin)",
        "step: train it",
        "error: ValueError: no rows",
        "run: 3f2c",
        "see: http://127.0.0.1:5000/#/experiments/1/runs/3f2c",
        "open the failing step: p2p debug 3f2c --step 'train it'",
    ]


def test_what_a_run_has_said_cannot_add_a_line_to_a_title_or_move_a_cursor() -> None:
    message = message_of(News(kind="failed", schedule="a\nBcc: me", time=TIME, text="\x1b[2J" * 1000), "x\r\ny")
    assert "\n" not in message.title
    assert "\x1b" not in message.text
    assert len(message.text) < 2000
    assert "p2p debug" not in message.text  # no run was opened
