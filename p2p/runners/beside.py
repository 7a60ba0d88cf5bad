"""Pieces of work beside each other: each in a thread when those are done that it waits for, so many at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence

_LEAVE = 2.0  # seconds that pieces at work have to end when one has failed


def run_beside(
    waits: Sequence[Collection[int]], run: Callable[[int], None], *, jobs: int, end: Callable[[], None]
) -> None:
    """Do all pieces. When one fails, no other begins, those at work are ended, and its error is raised.

    Args:
        waits: by number of a piece, the numbers of those that it waits for.
        run: does the piece with this number.
        jobs: how many are at work at once, at most.
        end: makes those that are at work end soon.
    """
    left, done, at_work = [*range(len(waits))], set[int](), dict[int, threading.Thread]()
    came: queue.SimpleQueue[tuple[int, BaseException | None]] = queue.SimpleQueue()

    def piece(number: int) -> None:
        try:
            run(number)
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            came.put((number, error))
        else:
            came.put((number, None))

    try:
        while left or at_work:
            for number in [n for n in left if done.issuperset(waits[n])][: jobs - len(at_work)]:
                left.remove(number)
                at_work[number] = threading.Thread(target=piece, args=[number], daemon=True, name=f"p2p-step-{number}")
                at_work[number].start()
            number, error = _next(came)
            del at_work[number]
            if error is not None:
                raise error
            done.add(number)
    except BaseException:
        end()
        limit = time.monotonic() + _LEAVE
        for thread in at_work.values():
            thread.join(max(0.0, limit - time.monotonic()))
        raise


def _next(came: queue.SimpleQueue[tuple[int, BaseException | None]]) -> tuple[int, BaseException | None]:
    """The piece that ends next; waits in short pieces, because an interrupt is raised between two."""
    while True:
        try:
            return came.get(timeout=0.2)
        except queue.Empty:
            continue
