"""Malformed messages: counted all, logged seldom."""

import logging
from collections import Counter

from piio_bridge.clock import Clock

PAUSE = 10.0
"""Seconds between two log lines about one kind of message."""


class Complaints:
    """Counts what cannot be understood, per kind; one log line a kind every 10 s at most."""

    def __init__(self, clock: Clock, log: logging.Logger) -> None:
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._log = log
        self._said: dict[str, float] = {}

    def add(self, kind: str, topic: str, reason: str) -> None:
        """Count one message that was not taken."""
        self.counts[kind] += 1
        now = self._clock.boottime()
        if now - self._said.get(kind, -PAUSE) >= PAUSE:
            self._said[kind] = now
            self._log.warning("%s refused (%d so far): %s: %s", kind, self.counts[kind], topic[:120], reason)
