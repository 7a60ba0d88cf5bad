"""How far a step on a worker is: said there, sent while the attempt runs, and told here as of a step of this process.

What is sent is plain data: the attempt's name, and a step's `id` with what there is to tell, or nothing at its end.
How it is sent is each engine's own. Secrets are taken out here, where they are known; a worker writes nothing down.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from p2p.execution import bars
from p2p.execution.services import MomentSink

Send = Callable[[dict[str, Any]], None]


class Sending:
    """On a worker: takes how far the steps of one attempt are, and sends it. Silent when the attempt is over.

    Args:
        send: sends plain data, and does not wait for it to arrive.
        attempt: its name.
    """

    def __init__(self, send: Send, attempt: str) -> None:
        self._send: Send | None = send
        self._attempt = attempt
        self._told: set[str] = set()
        self._process = os.getpid()  # a fork has the same connection
        self._turn = threading.RLock()  # a bar may be ended by the garbage collection, at any moment

    def moved(self, execution: str, **data: Any) -> None:
        """The step of that id has come so far."""
        with self._turn:
            if self._send is not None and os.getpid() == self._process:
                self._told.add(execution)
                self._send({"attempt": self._attempt, "id": execution, **data})

    def gone(self, execution: str) -> None:
        """It is at work no more; nobody is told who has not heard of it."""
        with self._turn:
            if execution in self._told and self._send is not None:
                self._told.discard(execution)
                self._send({"attempt": self._attempt, "id": execution})

    def over(self) -> None:
        """The attempt has ended; threads that it has left behind tell nothing any more."""
        with self._turn:
            self._send = None


@contextmanager
def heard(send: Send | None, attempt: str, step: str, execution: str) -> Iterator[MomentSink | None]:
    """In the block, which is an attempt at a step on a worker, what its bars say is sent; gives what steps in it tell.

    Args:
        send: as `Sending` has it; None where nobody wants to know.
        attempt: its name.
        step: the step's name.
        execution: id of this execution of the step.
    """
    if send is None:
        yield None
        return
    sending = Sending(send, attempt)
    try:
        with bars.told(lambda far: sending.moved(execution, step=step, parent="", **far.as_dict())):
            yield sending
    finally:
        sending.over()


class Hearing:
    """In the driver: tells what attempts on workers say, as long as somebody waits for them."""

    def __init__(self) -> None:
        self._sinks: dict[str, MomentSink] = {}
        self._told: dict[str, set[str]] = {}
        self._turn = threading.RLock()  # what comes late must not be told after its step has ended

    @contextmanager
    def of(self, attempt: str, sink: MomentSink | None) -> Iterator[None]:
        """In the block, `sink` is told what the attempt says; where there is none, nothing is."""
        if sink is None:
            yield
            return
        with self._turn:
            self._sinks[attempt], self._told[attempt] = sink, set()
        try:
            yield
        finally:
            with self._turn:
                del self._sinks[attempt]
                for execution in self._told.pop(attempt):
                    sink.gone(execution)

    def take(self, message: Mapping[str, Any]) -> None:
        """Something was sent, by an attempt of whomever."""
        data = {name: value for name, value in message.items() if name not in ("attempt", "id")}
        with self._turn:
            sink = self._sinks.get(message["attempt"])
            if sink is None:
                return
            if data:
                self._told[message["attempt"]].add(message["id"])
                sink.moved(message["id"], **data)
            else:
                self._told[message["attempt"]].discard(message["id"])
                sink.gone(message["id"])
