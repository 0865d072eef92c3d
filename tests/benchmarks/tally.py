"""Who counts messages: one MQTT connection that reads in bulk and looks at nothing but the lengths."""

import contextlib
import socket
import threading
import time

from piio.address import Address

CONNECT, SUBSCRIBE, PUBLISH = 0x10, 0x82, 0x30

PATIENCE = 20.0

PIECE = 1 << 18
"""Bytes that are read at once."""


class Tally:
    """Counts what is published below a filter, on a thread of its own, at some tenths of a microsecond each.

    MQTT 3.1.1 and QoS 0, spelled by hand: a client library would be what limits.
    """

    def __init__(self, address: Address, filter: str) -> None:
        self.count = 0
        self._socket = socket.create_connection((address.host, address.port))
        self._socket.settimeout(1.0)
        name = _text(f"tally-{time.monotonic_ns()}")
        self._send(CONNECT, _text("MQTT") + b"\x04\x02\x00\x00" + name)  # level 4, clean session, no keepalive
        self._send(SUBSCRIBE, b"\x00\x01" + _text(filter) + b"\x00")
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, count: int) -> None:
        """Wait until so many were counted."""
        end = time.monotonic() + PATIENCE
        while self.count < count:
            assert time.monotonic() < end, f"{self.count} messages in {PATIENCE:g} s"
            time.sleep(0.02)

    def close(self) -> None:
        """Hang up."""
        self._over = True
        with contextlib.suppress(OSError):  # the broker is gone
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _send(self, command: int, body: bytes) -> None:
        self._socket.sendall(bytes([command, len(body)]) + body)  # short enough for one byte of length

    def _run(self) -> None:
        rest = b""
        while not self._over:
            try:
                piece = self._socket.recv(PIECE)
            except TimeoutError:
                continue
            except OSError:
                return
            if not piece:
                return
            rest = self._take(rest + piece)

    def _take(self, data: bytes) -> bytes:
        """Count whole messages and return what is left."""
        at, end, count = 0, len(data), 0
        while at + 5 <= end or (at + 2 <= end and data[at + 1] + at + 2 <= end):
            length, header = data[at + 1], 2
            if length & 0x80:
                length, header = length & 0x7F | data[at + 2] << 7, 3  # up to 16 KB: no more is listened to here
            if at + header + length > end:
                break
            count += data[at] & 0xF0 == PUBLISH
            at += header + length
        self.count += count
        return data[at:]


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()
