"""What comes in large pieces is heard whole, in its order, and paho keeps its part of it."""

import socket
import threading

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from piio.address import Address
from piio.connection import Connection, Message
from tests.client.conftest import Broker

PATIENCE = 10.0

CONNACK = b"\x20\x03\x00\x00\x00"


class Heard:
    """What a connection hears, until it is so much."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._news = threading.Condition()

    def __call__(self, message: Message) -> None:
        with self._news:
            self.messages.append(message)
            self._news.notify_all()

    def wait(self, count: int, on: str = "") -> list[Message]:
        """Wait until so many messages came whose topics end so, and return these."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.on(on)) >= count, PATIENCE), self.messages
            return self.on(on)

    def on(self, end: str) -> list[Message]:
        return [message for message in self.messages if message.topic.endswith(end)]


def test_what_is_plain_and_what_is_not_come_in_the_order_in_which_they_were_said(broker: Broker) -> None:
    heard = Heard()
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ResponseTopic = "piio/reply/otto/1"
    with Connection(broker.address("anna"), heard) as listener, Connection(broker.address("demo"), print) as demo:
        listener.subscribe([("piio/demo/block/#", 1), ("piio/demo/status", 1)])
        demo.publish("piio/demo/status", b"online", 1, True)
        heard.wait(1)  # then what was asked for is in force
        for number in range(400):
            payload = b"%d:" % number + bytes(number * 7 % 130 if number % 50 else 40_000)
            demo.publish("piio/demo/block/a/b", payload, number % 2, False, properties if number % 3 == 0 else None)
        blocks = heard.wait(400, "/block/a/b")
    told = {int(message.payload.split(b":")[0]): message for message in blocks}
    for qos in (0, 1):  # the broker orders each for itself
        assert [number for number in told if number % 2 == qos] == list(range(qos, 400, 2))
    assert all((message.response_topic is not None) == (number % 3 == 0) for number, message in told.items())
    assert [len(told[number].payload) for number in (100, 150, 200)] == [40_004] * 3


def plain(number: int) -> bytes:
    topic, payload = b"piio/demo/block/a/b", b"%d" % number + b" " * (number * 31 % 300)
    size = 2 + len(topic) + 1 + len(payload)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return b"\x30" + length + len(topic).to_bytes(2, "big") + topic + b"\x00" + payload


@pytest.mark.parametrize("step", [1, 7, 61])
def test_it_does_not_matter_where_the_network_cuts(step: int) -> None:
    wire = b"".join(plain(number) for number in range(60))
    heard = Heard()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_say, args=(server, wire, step), daemon=True).start()
        with Connection(Address(host="127.0.0.1", port=server.getsockname()[1]), heard) as connection:
            connection.subscribe([("#", 0)])
            assert [int(message.payload) for message in heard.wait(60)] == list(range(60))


@pytest.mark.parametrize("rubbish", [b"\x30\xff\xff\xff\xff", b"\x30\xff\xff\xff\x7f", b"\xf0\x00"])
def test_what_is_no_mqtt_ends_the_connection_and_not_its_thread(rubbish: bytes) -> None:
    lost: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_say, args=(server, rubbish, 99), daemon=True).start()
        with Connection(Address(host="127.0.0.1", port=server.getsockname()[1]), print, lost.append) as connection:
            connection.subscribe([("#", 0)])
            assert connection.wait_lost(PATIENCE)
    assert len(lost) == 1


def _say(server: socket.socket, wire: bytes, step: int) -> None:
    """Be a broker that lets somebody in and, asked for topics, says so many bytes at once."""
    asked, _ = server.accept()
    with asked:
        asked.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asked.recv(4096)
        asked.sendall(CONNACK)
        asked.recv(4096)
        for at in range(0, len(wire), step):
            asked.sendall(wire[at : at + step])
        asked.recv(4096)  # until it is over
