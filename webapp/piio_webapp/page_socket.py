"""The sending side of a page's web socket: what a page is told goes out at once, written by whoever tells it.

Engine.IO hands every packet to a thread of its socket's. Fifty of them that are woken for one frame wait for the
interpreter one after the other, which costs ten times what the writing does. Here the thread that has a frame writes it
to every socket that takes it now, and the socket's thread is left with what it does not.

How Engine.IO makes its queues and sockets, `Server._async`, is none of its documented ways:
`tests/webapp/test_page_socket.py` holds the installed one to them.
"""

import queue
import socket
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI
from msgspec import Struct

WHOLE_TEXT = 0x81
"""How a frame begins that is a whole message, and text."""


class Rest(Struct, frozen=True):
    """The part of a web socket frame that its socket did not take; the socket's thread handles it as a packet."""

    data: bytes

    def encode(self) -> "Rest":
        """Return it as the thread hands it to `PageSocket.send`."""
        return self


class PageQueue(queue.Queue[Any]):
    """The packets of one page: out at once while nothing waits, else in their order by the socket's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.Lock()
        self._waiting = 0
        """Packets that the thread has not written yet; while there are any nobody else may write."""
        self._socket: socket.socket | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and a packet would go at once: what tests wait for."""
        return self._socket is not None and not self._waiting

    def open(self, sock: socket.socket) -> None:
        """From now on `written` is called for each packet that the thread writes, so that others may write, too."""
        self._socket = sock

    def close(self) -> None:
        """Have nobody but the thread write any more."""
        with self._turn:
            self._socket = None

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Write a packet, or what the socket does not take of it after those that wait; None ends the thread."""
        with self._turn:
            rest = item if item is None or self._waiting else self._write(item)
            if rest is not None:
                self._waiting += 1
            if rest is not None or item is None:
                super().put(rest, block, timeout)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return the next packet for the thread, which has to wait for as long as others write: None ends it."""
        return super().get(block, timeout if self._socket is None else None)

    def written(self) -> None:
        """The thread has written a packet that waited."""
        with self._turn:
            self._waiting -= 1

    def _write(self, packet: Any) -> Any:
        """Write what the socket takes now; return what is left, None if nothing is."""
        if self._socket is None or packet.binary:
            return packet
        try:
            frame = _frame(packet.encode())
            taken = self._socket.send(frame, socket.MSG_DONTWAIT)
        except (OSError, ValueError):  # full, over, or of a kind that cannot do this: the thread will see
            return packet
        return None if taken == len(frame) else Rest(frame[taken:])


class PageSocket(SimpleWebSocketWSGI):  # type: ignore[misc]  # Engine.IO has no types
    """The web socket of a page; `handler` is the method of the Engine.IO socket that serves it."""

    def __init__(self, handler: Callable[[Any], Any], server: Any, **settings: Any) -> None:
        super().__init__(self._serve, server, **settings)
        self._handler = handler
        self._page: Any = handler.__self__  # type: ignore[attr-defined]
        self._counted = False

    def send(self, message: Any) -> None:
        """Write what the thread has taken from the queue, however long the socket takes; after a failure nobody may."""
        if isinstance(message, Rest):
            self.ws.sock.sendall(message.data)
        else:
            super().send(message)
        if self._counted:
            self._page.queue.written()

    def close(self) -> None:
        """Say goodbye, after which nothing may follow."""
        self._page.queue.close()
        super().close()

    def _serve(self, _: Any) -> Any:
        # One that polled before has had packets that no thread wrote: it stays as Engine.IO has it.
        if not self._page.connected:
            self._counted = True
            self._page.queue.open(self.ws.sock)
        return self._handler(self)


@lru_cache(maxsize=16)
def _frame(text: str) -> bytes:
    """A message as one frame of a server without extensions (RFC 6455, 5.2): the same bytes for every page."""
    data = text.encode()
    if len(data) < 126:
        return bytes((WHOLE_TEXT, len(data))) + data
    short = len(data) < 1 << 16
    size = b"\x7e" + len(data).to_bytes(2, "big") if short else b"\x7f" + len(data).to_bytes(8, "big")
    return bytes((WHOLE_TEXT,)) + size + data


def write_at_once(server: Any) -> None:
    """Have an Engine.IO server write packets at once where it can; before the first page comes."""
    server._async = {**server._async, "queue": PageQueue, "websocket": PageSocket}
