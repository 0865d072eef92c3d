"""Staying connected: a new connection for every one that ends, with pauses that spread a crowd."""

import logging
import threading
from collections.abc import Callable

from piio.backoff import Backoff
from piio.connection import Connection
from piio.errors import PiioError

log = logging.getLogger(__name__)

MakeConnection = Callable[[], Connection]
Serve = Callable[[Connection], None]


class Keeper:
    """Keeps one connection up: `make` gives a fresh one, `serve` greets the broker on it.

    Both run on the keeper's thread. A connection ends when the broker or the network ends it, or when somebody
    abandons it; the next is tried after a random 0 to 1 s, doubling to at most 5 s while nothing answers.
    """

    def __init__(self, make: MakeConnection, serve: Serve) -> None:
        self._make = make
        self._serve = serve
        self._stopping = threading.Event()
        self._current: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="piio keeper", daemon=True)

    @property
    def connection(self) -> Connection | None:
        """The connection that is up now."""
        current = self._current
        return current if current and current.connected else None

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and stay away; stopping twice is fine."""
        self._stopping.set()
        current = self._current
        if current:
            current.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(10)

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            connection = self._make()
            try:
                connection.open()
                self._current = connection
                backoff.connected()
                if not self._stopping.is_set():
                    self._serve(connection)
                    connection.wait_lost()
            except PiioError as error:
                if backoff.is_news(error):
                    log.warning("%s; trying again", error)
            except Exception:
                log.exception("the connection could not be served")
            finally:
                connection.close()
            self._stopping.wait(backoff.pause())
