"""One end of the connection between an agent and its holder: whole messages over a Unix socket."""

import contextlib
import logging
import select
import socket
import struct
import threading
from typing import Any, Generic, TypeVar

import msgspec

log = logging.getLogger(__name__)

LARGEST = 1 << 20
"""Bytes of the largest message; the lines of a few chips are far below that."""

Incoming = TypeVar("Incoming")


class Wire(Generic[Incoming]):
    """Sends any message and receives those of one kind; any thread may send, one receives."""

    def __init__(self, connection: socket.socket, incoming: Any) -> None:
        self._socket = connection
        self._sending = threading.Lock()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Incoming] = msgspec.msgpack.Decoder(incoming)
        # One for all: to get as much memory anew takes longer than to read a message.
        self._room = memoryview(bytearray(LARGEST))
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            connection.setsockopt(socket.SOL_SOCKET, option, LARGEST)

    def fileno(self) -> int:
        """The socket's descriptor, to wait for it together with others."""
        return self._socket.fileno()

    @property
    def peer(self) -> int:
        """The process that listens at the other end."""
        credentials = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", credentials)[0]
        return pid

    def send(self, message: msgspec.Struct, wait: bool = False) -> bool:
        """Send a message; False if the other end is gone or, unless told to wait, takes nothing more now."""
        with self._sending:
            try:
                self._socket.send(self._encoder.encode(message), 0 if wait else socket.MSG_DONTWAIT)
            except OSError as error:
                log.debug("%s was not sent: %s", type(message).__name__, error)
                return False
            return True

    def receive(self, timeout: float | None = None) -> Incoming | None:
        """Wait for a message; None when the other end is gone, TimeoutError after `timeout` seconds."""
        try:
            if timeout is not None and not select.select([self._socket], [], [], timeout)[0]:
                raise TimeoutError(f"nothing was heard for {timeout:g} s")
            size = self._socket.recv_into(self._room)
        except TimeoutError:
            raise
        except (OSError, ValueError):  # closed here while somebody waits
            return None
        return self._decoder.decode(self._room[:size]) if size else None

    def close(self) -> None:
        """End the connection, whoever waits for it; closing twice is fine."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
