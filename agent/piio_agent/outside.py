"""The world outside a simulated board: it moves lines on a thread of its own, for a driver may take its time."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from piio_agent.interfaces.contract import Interface
from piio_agent.reasons import reason

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Moves that may wait; the oldest go."""

Refused = Callable[[str], None]


class Outside:
    """Carries out moves in their order; what is refused is told to who asked, on this thread."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._waiting: deque[tuple[Interface, str, float | None, Refused]] = deque(maxlen=MOST_WAITING)
        self._thread: threading.Thread | None = None

    def move(self, interface: Interface, channel: str, raw: float | None, refused: Refused) -> None:
        """Drive a channel from outside soon, or let go of it (None)."""
        with self._wake:
            self._waiting.append((interface, channel, raw, refused))
            self._wake.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outside", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Move nothing any more."""
        with self._wake:
            self._waiting.clear()
            self._thread = None
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and self._thread is threading.current_thread():
                    self._wake.wait()
                if self._thread is not threading.current_thread():
                    return
                interface, channel, raw, refused = self._waiting.popleft()
            try:
                interface.simulate(channel, raw)
            except Exception as error:
                refused(reason(error))
