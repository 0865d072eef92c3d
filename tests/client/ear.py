"""Somebody who hears what is said below a filter."""

import threading

from piio.address import Address
from piio.connection import Connection, Message

PATIENCE = 10.0


class Ear:
    """Hears what is said below a filter and waits for as much as is expected."""

    def __init__(self, address: Address, filter: str = "piio/demo/block/#") -> None:
        self.heard: list[Message] = []
        self._news = threading.Condition()
        self._connection = Connection(address, self._hear)
        self._connection.open()
        self._connection.subscribe([(filter, 0)])
        self._connection.subscribe([("piio/demo/status", 0)])
        assert self._connection.connected

    def _hear(self, message: Message) -> None:
        with self._news:
            self.heard.append(message)
            self._news.notify_all()

    def wait(self, count: int) -> list[Message]:
        """Return what was heard once it is so many messages."""
        with self._news:
            self._news.wait_for(lambda: len(self.heard) >= count, PATIENCE)
            assert len(self.heard) == count
            return self.heard

    def close(self) -> None:
        self._connection.close()
