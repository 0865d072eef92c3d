"""A paho session whose QoS 0 messages are received and sent in bulk.

paho reads each packet in four calls of the socket and a dozen of Python, which limits a bridge to some 25,000 messages
a second. Here the socket is read in large pieces, PUBLISH packets at QoS 0 are cut out of them, and everything else is
handed to paho, whose business it stays: connecting, TLS, passwords, keepalive, subscriptions, QoS 1. What is sent is
put into one packet for paho to write.

Three things of paho's own are relied on, which a test holds against the installed one: `Client._sock_recv` is all it
reads with, `Client._packet_queue` and `Client._out_packet` are what it writes from.
"""

import select
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from piio.address import Address
from piio.connection import KEEPALIVE, prepare
from piio.local_client import LocalClient
from piio.traffic import cut as cut_off
from piio_bridge.data.packets import Message, Outgoing, cut, publish
from piio_bridge.data.unsent import Unsent

PIECE = 64 * 1024
"""Bytes read at once: some 1,500 readings, which take 15 ms."""

MOST_ON_THE_WAY = 512 * 1024
"""Bytes that may wait for the socket; what comes after them waits per topic, and newer replaces it."""

MOST_TOGETHER = 2_000
"""Messages that leave in one packet."""

_UNKNOWN = 0
"""The kind of the packets that hold what we send: none that paho knows, so that it only writes them."""


class Session:
    """One connection to the broker, used by one thread; `heard` are messages at QoS 1, called from `receive`."""

    def __init__(
        self, address: Address, on_connect: Callable[[], None], heard: Callable[[mqtt.MQTTMessage], None]
    ) -> None:
        self._address = address
        self._on_connect = on_connect
        self._wire = b""
        self._unsent = Unsent()
        self._confirming: dict[int, Callable[[], None]] = {}
        self.accepted = False
        self.refusal = ""
        # MQTT 3.1.1: version 5 costs 2.7 times as much to parse.
        self._client = client = _FedClient(
            CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, clean_session=True, transport=address.transport
        )
        prepare(client, address)
        client.on_connect = self._connected
        client.on_message = lambda _, __, message: heard(message)
        client.on_unsubscribe = lambda _, __, number, *___: self._confirming.pop(number, _nothing)()
        client.on_socket_register_write = _later

    def open(self) -> None:
        """Connect; OSError or ValueError if that cannot be."""
        self._client.connect(self._address.host, self._address.port, KEEPALIVE)

    @property
    def is_open(self) -> bool:
        """Whether the connection is not over."""
        return self._client.socket() is not None

    @property
    def dropped(self) -> int:
        """How many messages were not sent, because newer ones of their topics came before the broker took them."""
        return self._unsent.dropped

    @property
    def all_sent(self) -> bool:
        """Whether nothing waits because the broker is too slow."""
        return not self._unsent

    def confirm(self, then: Callable[[], None]) -> None:
        """Have something done, from `receive`, when the broker has handled all that it was sent.

        It answers in the order of what it hears, and leaving a topic that we do not hear changes nothing.
        """
        _, number = self._client.unsubscribe("nothing")
        if number is not None:
            self._confirming[number] = then
        self._write()

    def subscribe(self, topics: Iterable[tuple[str, int]]) -> None:
        """Ask for topics with a QoS each."""
        self._client.subscribe(list(topics))

    def wait(self, beside: socket.socket, timeout: float) -> bool:
        """Wait for something to receive, room to send or the other socket, seconds at most; whether that rang."""
        sock: Any = self._client.socket()
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            timeout = 0.0
        writers = [sock] if self._client.want_write() else []
        readable, writable, _ = select.select([sock, beside], writers, [], timeout)
        if writable:
            self._write()
        return beside in readable

    def receive(self) -> Sequence[Message]:
        """Return the messages at QoS 0 that came; OSError or ValueError if the connection is lost."""
        sock: Any = self._client.socket()
        try:
            piece = sock.recv(PIECE) if sock else b""
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return ()
        if not piece:
            raise ConnectionResetError("the broker ended the connection")
        messages, others, self._wire = cut(self._wire + piece)
        if others:
            self._client.feed(others)
        return messages

    def send(self, messages: Sequence[Outgoing], retained: bool = True) -> None:
        """Publish at QoS 0; what the broker is too slow for waits, and newer of the same topic replaces it."""
        if not messages:
            return
        if self._unsent or self._client.on_the_way() > MOST_ON_THE_WAY:
            self._unsent.put(messages, retained)
        else:
            self._queue(messages, retained)
            self._write()

    def look_after(self) -> None:
        """See to the keepalive; to be called now and then."""
        self._client.loop_misc()

    def close(self) -> None:
        """Say goodbye, if there is anybody to hear it; closing twice is fine."""
        self._client.disconnect()
        self._client.loop_write()
        if sock := self._client.socket():
            sock.close()

    def cut_off(self) -> None:
        """End it without a goodbye: what it still holds must not arrive after what the next one says."""
        cut_off(self._client.socket())

    def _queue(self, messages: Sequence[Outgoing], retained: bool) -> None:
        # In pieces: paho copies what is left of a packet each time the socket takes a part of it.
        for first in range(0, len(messages), MOST_TOGETHER):
            packet = publish(messages[first : first + MOST_TOGETHER], retained)
            self._client._packet_queue(_UNKNOWN, packet, 0, 0)

    def _write(self) -> None:
        self._client.loop_write()
        if self._unsent and not self._client.want_write():
            for messages, retained in self._unsent.take():
                self._queue(messages, retained)
            self._client.loop_write()

    def _connected(self, _: mqtt.Client, __: Any, ___: Any, code: Any, ____: Any) -> None:
        if code.is_failure:
            self.refusal = str(code)
            self._client.disconnect()
            return
        self.accepted = True
        self._on_connect()


class _FedClient(LocalClient):
    """A paho client that reads what it is fed instead of its socket."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._fed = b""

    def feed(self, packets: bytes) -> None:
        """Have whole packets handled."""
        self._fed += packets
        while self._fed and self.socket() is not None:
            self.loop_read()

    def on_the_way(self) -> int:
        """How many bytes wait for the socket."""
        return sum(packet["to_process"] for packet in self._out_packet)

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self._fed:
            raise BlockingIOError
        taken, self._fed = self._fed[:bufsize], self._fed[bufsize:]
        return taken


def _nothing() -> None:
    """What is done when nobody waits for an answer."""


def _later(*_: object) -> None:
    """Keep paho from writing as soon as something is queued: we do, when all of it is."""
