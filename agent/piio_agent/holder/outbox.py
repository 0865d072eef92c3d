"""What a holder has to tell its agent: sent by a thread of its own, for an agent that hangs must hold nothing up."""

import threading
from collections.abc import Hashable
from typing import Any

import msgspec

from piio_agent.holder.wire import Wire

MOST_WAITING = 10_000
"""Messages that wait for an agent that does not read; what comes on top is dropped."""


class Outbox:
    """Sends messages in their order; one that waits is replaced by a newer one with the same key."""

    def __init__(self, wire: Wire[Any]) -> None:
        self._wire = wire
        self._wake = threading.Condition()
        self._waiting: dict[Hashable, msgspec.Struct] = {}
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, message: msgspec.Struct, key: Hashable = None) -> None:
        """Send a message soon; it takes the place of one with its key, and is dropped when far too many wait."""
        with self._wake:
            key = object() if key is None else key
            if self._waiting.pop(key, None) is None and len(self._waiting) >= MOST_WAITING:
                return
            self._waiting[key] = message
            self._wake.notify()

    def close(self, timeout: float) -> None:
        """Send what waits, for so many seconds at most, and end."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        while message := self._next():
            if not self._wire.send(message, wait=True):
                return

    def _next(self) -> msgspec.Struct | None:
        with self._wake:
            while not self._waiting:
                if self._closing:
                    return None
                self._wake.wait()
            return self._waiting.pop(next(iter(self._waiting)))
