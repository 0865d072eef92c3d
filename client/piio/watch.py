"""Watching points: every change as it comes, on the thread of whoever iterates."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from piio.reading import Reading

MOST_WAITING = 10_000
"""Readings that wait for a slow reader; then the oldest are dropped and counted."""

REFRESH = 0.5
"""Seconds between two looks at whether the bridge is still there."""


class Watch(Iterator[Reading]):
    """Readings of points as they change, the present ones first; `with` or `close` ends it, also from another thread.

    While the bridge or the broker is away, each point is told once more, as stale.
    """

    def __init__(
        self,
        patterns: list[tuple[str, str]],
        refresh: Callable[["Watch"], None],
        on_close: Callable[["Watch"], None],
    ) -> None:
        self.patterns = patterns
        self.dropped = 0
        self._refresh = refresh
        self._on_close = on_close
        self._news = threading.Condition()
        self._waiting: deque[Reading] = deque(maxlen=MOST_WAITING)
        self._last: dict[str, Reading] = {}
        self._closed = False
        self._refreshed_at = -REFRESH

    def wants(self, board: str, point: str) -> bool:
        """Whether the point is among the watched."""
        return any(of in ("+", board) and which in ("+", point) for of, which in self.patterns)

    def offer(self, readings: Iterable[Reading]) -> None:
        """Take in readings; those that say nothing new are left out."""
        with self._news:
            for reading in readings:
                if self._last.get(reading.name) != reading:
                    self._last[reading.name] = reading
                    self.dropped += len(self._waiting) == MOST_WAITING
                    self._waiting.append(reading)
            self._news.notify_all()

    def next_within(self, timeout: float | None) -> Reading | None:
        """Return the next change, or None when none came within `timeout` seconds or the watch was closed."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            if time.monotonic() - self._refreshed_at >= REFRESH:
                self._refreshed_at = time.monotonic()
                self._refresh(self)
            left = REFRESH if end is None else min(REFRESH, end - time.monotonic())
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closed, max(left, 0))
                if self._waiting:
                    return self._waiting.popleft()
            if self._closed or (end is not None and time.monotonic() >= end):
                return None

    def close(self) -> None:
        """End the watch; closing twice is fine."""
        self._on_close(self)
        with self._news:
            self._closed = True
            self._news.notify_all()

    def __next__(self) -> Reading:
        reading = self.next_within(None)
        if reading is None:
            raise StopIteration
        return reading

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
