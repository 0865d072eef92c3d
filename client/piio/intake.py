"""A paho client that takes what comes in large pieces.

paho reads each packet by four calls of the socket, and version 5 has it make an object for properties that are not
there: 70 µs for a reading. Here the socket is read once for whatever has come, plain messages (at QoS 0 or 1, without
properties) are cut out of it, and everything else is handed to paho packet by packet: all in their order.

What paho reads with, `Client._sock_recv`, and what it answers QoS 1 with, `Client._send_puback`, are none of its
documented ways: `tests/client/test_intake.py` holds the installed one to them.
"""

import ssl
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt.enums import MQTTErrorCode

from piio.local_client import LocalClient
from piio.wire import PUBLISH, RETAIN, NotMqtt, bounds

PIECE = 32 * 1024
"""Bytes read at once."""

OnPlain = Callable[[str, bytes, bool], None]
"""Hears topic, payload and whether it was retained."""


class IntakeClient(LocalClient):
    """The client; `on_plain` hears messages at QoS 0 and 1 without properties, on the thread that reads."""

    def __init__(self, *arguments: Any, on_plain: OnPlain, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.taken = 0
        """Bytes that were read last."""
        self._on_plain = on_plain
        self._wire = b""
        self._packet = b""
        self._end: OSError | None = None

    def connect(self, *arguments: Any, **settings: Any) -> MQTTErrorCode:
        """Connect; what was left over of a connection before is forgotten."""
        self._wire, self._packet, self._end = b"", b"", None
        return super().connect(*arguments, **settings)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Take what has come and handle what is whole of it."""
        sock: Any = self.socket()
        if sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        try:
            piece = sock.recv(PIECE)
            self._last_bytes_received = time.monotonic()  # else a long flood looks like silence to its keepalive
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError as error:
            self._end, piece = error, b""
        if not piece:
            self._end = self._end or ConnectionResetError("the broker ended the connection")
            return super().loop_read(max_packets)
        self.taken = len(piece)
        return self._handle(self._wire + piece)

    def _handle(self, wire: bytes) -> MQTTErrorCode:
        at, said = 0, MQTTErrorCode.MQTT_ERR_SUCCESS
        while said == MQTTErrorCode.MQTT_ERR_SUCCESS and self.socket() is not None:
            try:
                found = bounds(wire, at)
            except NotMqtt:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
            if found is None or found[1] > len(wire):
                break
            begin, end = found
            if not self._take_plain(wire, at, begin, end):
                self._packet = wire[at:end]
                said = super().loop_read()
            if self.want_write():
                self.loop_write()  # what was queued meanwhile does not wait for all that came
            at = end
        self._wire = wire[at:]
        return said

    def _take_plain(self, wire: bytes, at: int, begin: int, end: int) -> bool:
        """Hand a plain message on; False if the packet is none."""
        if wire[at] & 0xF4 != PUBLISH or begin + 2 > end:  # whatever is said of retaining, and of QoS 0 or 1
            return False
        confirm = wire[at] & 2
        topic = begin + 2 + (wire[begin] << 8 | wire[begin + 1])
        after = topic + confirm  # the two bytes of its number stand there at QoS 1
        if after >= end or wire[after]:
            return False
        self._on_plain(
            wire[begin + 2 : topic].decode("utf-8", "replace"), wire[after + 1 : end], bool(wire[at] & RETAIN)
        )
        if confirm:
            self._send_puback(wire[topic] << 8 | wire[topic + 1])
        return True

    def _sock_recv(self, bufsize: int) -> bytes:
        """What paho reads with: the packet at hand, or the end of the connection."""
        if not self._packet:
            raise self._end or BlockingIOError
        taken, self._packet = self._packet[:bufsize], self._packet[bufsize:]
        return taken
