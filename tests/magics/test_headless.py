from __future__ import annotations

import io
import json

from p2p.magics.headless import PIECE, Throttle, tolerant


class Stream(io.StringIO):
    """A stream that counts how often it is told to send."""

    flushed = 0

    def flush(self) -> None:
        self.flushed += 1


def test_a_stream_sends_no_more_of_a_cell_than_could_be_kept() -> None:
    stream = Stream()
    throttle = Throttle(stream, 10)
    assert (stream.write("123456"), stream.write("789012"), stream.write("more")) == (6, 6, 4)
    assert stream.getvalue() == "1234567890"
    throttle.reset()
    stream.write("next")
    assert stream.getvalue() == "1234567890next"


def test_a_stream_sends_in_pieces() -> None:
    stream = Stream()
    Throttle(stream, 10 * PIECE)
    stream.write("x" * (PIECE * 2 + 5))
    assert stream.flushed == 2
    assert len(stream.getvalue()) == PIECE * 2 + 5


def test_a_message_with_a_lone_surrogate_is_packed() -> None:
    def strict(message: object) -> bytes:
        return json.dumps(message, ensure_ascii=False).encode()

    assert json.loads(tolerant(strict)({"text": "a\ud800"})) == {"text": "a\\ud800"}
    assert tolerant(strict)({"text": "a"}) == strict({"text": "a"})


def test_a_stream_is_told_to_send_only_after_something_was_written() -> None:
    stream = Stream()
    throttle = Throttle(stream, 100)
    stream.flush()
    assert stream.flushed == 1  # it may hold what was written before
    stream.flush()
    assert stream.flushed == 1
    stream.write("a")
    stream.write("")
    stream.flush()
    stream.flush()
    assert stream.flushed == 2
    throttle.reset()
    stream.flush()
    assert stream.flushed == 2
