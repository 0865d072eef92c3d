"""Waits until the web app answers."""

import http.client
import threading
from collections.abc import Callable

INTERVAL = 0.1
"""Seconds between two questions; nothing tells us when a server begins to listen."""


class WebProbe:
    """Asks `/healthz` until it answers 200, on a thread of its own."""

    def __init__(self, host: str, port: int, on_ready: Callable[[], None]) -> None:
        self._host = host
        self._port = port
        self._on_ready = on_ready
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to ask, unless it is asking already."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._ask, name="web probe", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def _ask(self) -> None:
        while not self._stopping.wait(INTERVAL):
            if self._answers():
                self._on_ready()
                return

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
