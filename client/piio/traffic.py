"""A connection's packets on their way: one thread reads them, and whoever has something to send writes it at once."""

import contextlib
import logging
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from piio.intake import IntakeClient

log = logging.getLogger(__name__)

SHORTEST_GATHER = 0.005
"""Seconds that a connection which gathers waits after it has read little: what follows is soon heard."""

GATHER_PER_BYTE = 50e-6
"""Seconds that it waits for each byte of what it has read: where much comes, it wakes for as much again."""

FULL = 8192
"""Bytes from which on it reads on without a wait: more is there already, and must not pile up at the broker."""

LONGEST_WAIT = 1.0
"""Seconds after which the keepalive is looked at again."""


class Traffic:
    """Moves the packets of a paho client.

    paho's own thread writes for all others, which costs each message two changes of thread. Here one thread at a time
    is at the socket, and nobody waits for a turn to write: whoever is there writes what others queue meanwhile, so
    that packets leave in the order in which they were queued. The client's callbacks and `on_end` run on the reading
    thread; but `on_disconnect` may run on any, and `on_publish` at QoS 0 on the publisher's. After it has read, it lets
    what comes gather, for up to `gather` seconds: the longer the more it has read.
    """

    def __init__(self, client: IntakeClient, on_end: Callable[[], None], gather: float = 0.0) -> None:
        self._client = client
        self._gather = gather
        self._on_end = on_end
        self._turn = threading.Lock()
        self._bell: socket.socket | None = None
        self._blocked = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="piio connection", daemon=True)
        client.on_socket_register_write = self._queued

    def start(self) -> None:
        """Begin to read what comes to the client, which was told to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye after what was queued before, and end; stopping twice is fine."""
        self._stopping = True
        self._client.disconnect()
        self._ring()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _queued(self, *_: object) -> None:
        """Write what the calling thread has just queued, unless somebody is at the socket."""
        # A goodbye closes the socket, so it is left to the thread that may be waiting for it.
        if self._stopping or not self._turn.acquire(blocking=False):
            return
        try:
            self._client.loop_write()
        finally:
            self._turn.release()
        if self._client.want_write() or self._client.socket() is None:
            # The socket takes no more, somebody queued more as the turn ended, or the connection is lost.
            self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # rung already; not begun yet, or over
            self._bell.send(b"!")  # type: ignore[union-attr]

    def _run(self) -> None:
        heard, self._bell = socket.socketpair()
        try:
            with selectors.DefaultSelector() as selector, heard, self._bell:
                heard.setblocking(False)
                self._bell.setblocking(False)
                selector.register(heard, selectors.EVENT_READ)
                self._serve(selector, heard)
        except Exception:
            log.exception("a connection ended by a mistake")
            cut(self._client.socket())
        finally:
            self._on_end()

    def _serve(self, selector: selectors.BaseSelector, bell: socket.socket) -> None:
        sock: Any = self._client.socket()
        if sock is not None:
            selector.register(sock, selectors.EVENT_READ)
        while self._client.socket() is not None:
            # What was queued while we had our turn is ours to write.
            idle = self._blocked or not self._client.want_write()
            ready = {key.fileobj for key, _ in selector.select(LONGEST_WAIT if idle else 0)}
            if bell in ready:
                bell.recv(4096)
            with self._turn:
                self._move(sock, sock in ready)
                self._mind(selector, sock)
            if self._gather and sock in ready:
                time.sleep(pause_after(self._client.taken, self._gather))

    def _move(self, sock: Any, readable: bool) -> None:
        client = self._client
        if readable:
            client.loop_read()
            while hasattr(sock, "pending") and client.socket() is not None and sock.pending():
                client.loop_read()
        client.loop_misc()
        client.loop_write()

    def _mind(self, selector: selectors.BaseSelector, sock: Any) -> None:
        """Wait until the socket takes more, if it does not now."""
        blocked = self._client.want_write()
        if self._client.socket() is not None and blocked != self._blocked:
            self._blocked = blocked
            selector.modify(sock, selectors.EVENT_READ | (selectors.EVENT_WRITE if blocked else 0))


def pause_after(taken: int, longest: float) -> float:
    """Return for how many seconds what comes may gather after so many bytes were read, `longest` at most."""
    return 0.0 if taken >= FULL else min(longest, max(SHORTEST_GATHER, taken * GATHER_PER_BYTE))


def cut(sock: Any) -> None:
    """End a connection without a goodbye; fine if there is none."""
    if sock is not None:
        with contextlib.suppress(OSError):
            forget_unsent(sock)
            sock.shutdown(socket.SHUT_RDWR)


def forget_unsent(sock: Any) -> None:
    """Have a connection that is given up send nothing any more.

    Else what it still holds arrives when its link is back, after what the next connection has said, and what is
    retained is wrong for good.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
