"""What a holder has to tell its agent: who tells it sends it, but waits for no agent that hangs."""

import logging
import threading
import time
from collections.abc import Hashable
from typing import Any

import msgspec

from piio_agent.channel import ChannelId
from piio_agent.holder.messages import EdgesSeen, Return, Said
from piio_agent.holder.wire import Wire
from piio_agent.interfaces.contract import Edge

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Messages that wait for an agent that does not read; edges and lines of the log that come on top are dropped."""


RAPID = 0.001
"""Seconds after an edge within which the next ones are sent by the thread, all that are there at a time."""

MOST_AT_ONCE = 500
"""Edges in a message."""


class Outbox:
    """Sends messages in their order, at once if the agent reads; a thread sends what has to wait.

    One that waits is replaced by a newer one with the same key. Edges that come in rapid succession go together: a
    message for each would cost both processes more than all else that is done with it.
    """

    def __init__(self, wire: Wire[Any]) -> None:
        self._wire = wire
        self._wake = threading.Condition()
        self._waiting: dict[Hashable, msgspec.Struct] = {}
        self._sending = False
        self._closing = False
        self._edge_at = 0.0
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, message: msgspec.Struct, key: Hashable = None) -> None:
        """Send a message; should it wait, it takes the place of one with its key.

        What somebody waits for is never dropped: of that there is only as much as was asked.
        """
        with self._wake:
            rapid = isinstance(message, EdgesSeen) and self._is_rapid()
            if not self._waiting and not self._sending and not rapid and self._send(message):
                return
            key = object() if key is None else key
            known = self._waiting.pop(key, None) is not None
            if not known and len(self._waiting) >= MOST_WAITING and isinstance(message, EdgesSeen | Said):
                return
            self._waiting[key] = message
            self._wake.notify()

    def close(self, timeout: float) -> None:
        """Send what waits, for so many seconds at most, and end."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout)

    def _is_rapid(self) -> bool:
        before, self._edge_at = self._edge_at, time.monotonic()
        return self._edge_at - before < RAPID

    def _run(self) -> None:
        while message := self._next():
            if not self._send(message, wait=True):
                return

    def _send(self, message: msgspec.Struct, wait: bool = False) -> bool:
        try:
            return self._wire.send(message, wait)
        except (TypeError, ValueError, OverflowError) as error:
            # A driver's mistake: it gave something of a kind that cannot be told.
            log.error("%s cannot be told: %s", type(message).__name__, error)
            if isinstance(message, Return):
                return self._wire.send(Return(message.id, error=f"the driver's answer cannot be told: {error}"), wait)
            return True

    def _next(self) -> msgspec.Struct | None:
        with self._wake:
            self._sending = False
            while not self._waiting:
                if self._closing:
                    return None
                self._wake.wait()
            self._sending = True
            first = self._pop()
            return EdgesSeen(self._with_next(first.edges)) if isinstance(first, EdgesSeen) else first

    def _with_next(self, edges: list[tuple[ChannelId, Edge]]) -> list[tuple[ChannelId, Edge]]:
        """These edges, and those that wait right behind them."""
        together = list(edges)
        while len(together) < MOST_AT_ONCE and isinstance(
            following := next(iter(self._waiting.values()), None), EdgesSeen
        ):
            together += following.edges
            self._pop()
        return together

    def _pop(self) -> msgspec.Struct:
        return self._waiting.pop(next(iter(self._waiting)))
