"""What the broker answers to a message of ours: a reason code, such as 0x87 for "not allowed"."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NO_SUBSCRIBER = 0x10
NOT_AUTHORIZED = 0x87
FAILURE = 0x80
"""Reason codes from here on say that a message went nowhere."""

OnAcknowledged = Callable[[int], None]


class Acknowledgements:
    """Brings reason codes to whoever asked, although the answer may overtake the number of the message it is for.

    The lock is never held while the network is used: its thread calls `arrived` with locks of its own held.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, OnAcknowledged] = {}
        self._early: dict[int, int] = {}
        self._publishing = 0

    @contextmanager
    def expected(self, on_acknowledged: OnAcknowledged | None) -> Iterator[Callable[[int], None]]:
        """Around publishing: gives what to call with the number the message got."""
        if on_acknowledged is None:
            yield lambda _: None
            return
        with self._lock:
            self._publishing += 1
        try:
            yield lambda mid: self._sent(mid, on_acknowledged)
        finally:
            with self._lock:
                self._publishing -= 1
                if not self._publishing:
                    self._early.clear()

    def arrived(self, mid: int, code: int) -> None:
        """Tell who waits for this message what the broker answered."""
        with self._lock:
            on_acknowledged = self._waiting.pop(mid, None)
            if on_acknowledged is None and self._publishing:
                self._early[mid] = code
        if on_acknowledged:
            on_acknowledged(code)

    def _sent(self, mid: int, on_acknowledged: OnAcknowledged) -> None:
        with self._lock:
            code = self._early.pop(mid, None)
            if code is None:
                self._waiting[mid] = on_acknowledged
        if code is not None:
            on_acknowledged(code)
