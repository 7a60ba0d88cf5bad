"""Messages between an owner and its warm parent: JSON with its length before it, and descriptors beside it.

Knows neither kernels nor what the messages mean.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]
_LENGTH = struct.Struct("!I")
_MOST = 8  # descriptors beside one message


def send(to: socket.socket, message: Message, descriptors: Sequence[int] = ()) -> None:
    """Send one message; OSError where nobody listens any more."""
    payload = json.dumps(message).encode("ascii")
    if descriptors:
        socket.send_fds(to, [_LENGTH.pack(len(payload))], descriptors)
    else:
        to.sendall(_LENGTH.pack(len(payload)))
    to.sendall(payload)


def receive(come_from: socket.socket) -> tuple[Message, list[int]] | None:
    """The next message and the descriptors that came with it; None when the other end is gone."""
    try:
        head, descriptors, _flags, _address = socket.recv_fds(come_from, _LENGTH.size, _MOST)
        head += _exactly(come_from, _LENGTH.size - len(head)) if head else b""
        payload = _exactly(come_from, _LENGTH.unpack(head)[0]) if head else b""
    except (OSError, EOFError):
        return None
    return (json.loads(payload), descriptors) if head else None


def _exactly(come_from: socket.socket, count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count:
        piece = come_from.recv(count - len(pieces))
        if not piece:
            raise EOFError
        pieces += piece
    return bytes(pieces)
