"""What is reported of inputs, on its way to the loop: put in by any thread, handled in batches."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager

from piio_agent.loop import Loop
from piio_agent.reports import Looked, Report

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Reports that may wait; of what comes on top, the newest of each kind and channel."""

BATCH = 100
"""Reports that are handled until it is everything else's turn: they take a small board some tens of milliseconds."""


class Batches:
    """Wakes the loop once for all that came meanwhile, so that what it publishes can leave in one piece.

    `together` is entered around each batch.
    """

    def __init__(
        self, loop: Loop, handle: Callable[[Report], None], together: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._loop = loop
        self._handle = handle
        self._together = together
        self._lock = threading.Lock()
        self._waiting: deque[Report] = deque()
        self._newest: dict[Hashable, Report] = {}
        self._called = False
        """Whether the loop was told that something waits."""
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._newest)

    def put(self, report: Report) -> None:
        """Have a report handled soon, after those before it; callable from any thread."""
        with self._lock:
            if self._newest or len(self._waiting) >= MOST_WAITING:
                self._replace(report)
            else:
                self._waiting.append(report)
            called, self._called = self._called, True
        if not called:
            self._loop.post_newest(self, self._work)

    def _replace(self, report: Report) -> None:
        key = (type(report), report.interface if isinstance(report, Looked) else report.channel)
        # To the end, not into the old place: else what came between would be handled after it, and stay.
        self.dropped += self._newest.pop(key, None) is not None
        self._newest[key] = report

    def _work(self) -> None:
        batch = self._take()
        with self._together():
            for report in batch:
                self._attempt(report)

    def _take(self) -> list[Report]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting:
                self._waiting.extend(self._newest.values())
                self._newest.clear()
            self._called = bool(self._waiting)
            if self._called:
                self._loop.post_newest(self, self._work)
            return batch

    def _attempt(self, report: Report) -> None:
        """Handle it; a mistake in one report must not lose the others."""
        try:
            self._handle(report)
        except Exception:
            log.exception("a report was not handled: %r", report)
