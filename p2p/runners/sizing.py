"""How many items of a mapped task go to a worker at once: so many that sending them costs little beside their work."""

from __future__ import annotations

_LONG = 0.1  # seconds that a chunk should take
_OFTEN = 10  # times as long as what a chunk costs beside its items' own work
_MOST = 1000
_MOST_BYTES = 32_000_000
_GROWTH = 10  # times the largest chunk so far: the first items may be the short ones


class Sizing:
    """Learns from the chunks that have been done; begins with one item each."""

    def __init__(self) -> None:
        self._items = 0
        self._seconds = 0.0
        self._bytes = 0
        self._besides = 0.0
        self._largest = 0

    def learn(self, items: int, *, seconds: float, besides: float, nbytes: int) -> None:
        """So many items took `seconds`, and the worker `besides` more; they were so many bytes."""
        if self._items > 20 * _MOST:  # what was long ago counts less
            self._items, self._seconds, self._bytes = self._items // 2, self._seconds / 2, self._bytes // 2
        self._items += items
        self._seconds += seconds
        self._bytes += nbytes
        self._besides = besides
        self._largest = max(self._largest, items)

    def size(self, left: int, threads: int) -> int:
        """How many of the `left` items go next, when so many threads wait for some: at the end, each gets its part."""
        if not self._items:
            return 1
        seconds = max(_LONG, _OFTEN * self._besides)
        by_time = seconds * self._items / max(self._seconds, 1e-9)
        by_bytes = _MOST_BYTES * self._items / max(self._bytes, 1)
        fair = left / (2 * threads)
        return max(1, int(min(by_time, by_bytes, fair, _MOST, _GROWTH * self._largest)))
