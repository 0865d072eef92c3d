"""Many messages at once over one connection: what is cut out of the wire, and what a slow broker does not take."""

import random
import socket
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest

from piio.address import Address
from piio.wire import LONGEST, NotMqtt
from piio_bridge.data.packets import Message, Outgoing, cut, publish
from piio_bridge.data.session import MOST_ON_THE_WAY, Session
from piio_bridge.data.unsent import Unsent
from tests.bridge.peers import Broker, Peer
from tests.standstill import stopped

TOPIC = b"piio/demo/raw/adc/0"


@pytest.mark.parametrize("size", [0, 1, 100, 104, 105, 106, 200, 16_000, 16_400, 64_000])
def test_what_is_written_is_cut_out_again_wherever_the_wire_is_torn(size: int) -> None:
    sent: list[Outgoing] = [(TOPIC, b"5"), (b"t", bytes(size)), (TOPIC, b"6")]
    wire = publish(sent, retained=True) + publish(sent, retained=False)
    for _ in range(50):
        heard: list[Message] = []
        rest = b""
        at = 0
        while at < len(wire):
            piece = wire[at : at + random.choice([1, 2, 7, 1000, 70_000])] if size < 1000 else wire[at : at + 9_000]
            at += len(piece)
            messages, others, rest = cut(rest + piece)
            heard += messages
            assert others == b""
        assert rest == b""
        assert heard == [(topic, payload, kept) for kept in (1, 0) for topic, payload in sent]


def test_packets_that_are_no_plain_messages_are_left_whole_and_in_their_order() -> None:
    acknowledgement, ping, important = b"\x20\x02\x00\x00", b"\xd0\x00", b"\x32\x07\x00\x03a/b\x00\x01"
    messages, others, rest = cut(acknowledgement + publish([(b"a", b"1")], False) + ping + important + b"\xd0")
    assert (messages, others, rest) == ([(b"a", b"1", 0)], acknowledgement + ping + important, b"\xd0")


@pytest.mark.parametrize(
    "wire",
    [b"\x30\x03\x00\x09a", b"\x30\x01\x00", b"\x30\xff\xff\xff\xff\x01", publish([(b"a", bytes(LONGEST))], False)],
    ids=["topic longer than its packet", "no topic", "endless length", "too long"],
)
def test_what_is_no_mqtt_ends_the_connection_instead_of_being_waited_for(wire: bytes) -> None:
    with pytest.raises(NotMqtt):
        cut(wire)


def test_of_what_a_slow_broker_does_not_take_the_newest_of_each_topic_stays_and_the_rest_is_counted() -> None:
    unsent = Unsent()
    unsent.put([(b"a", b"1"), (b"b", b"1"), (b"a", b"2")], retained=True)
    unsent.put([(b"a", b"3")], retained=False)
    unsent.put([(b"b", b"2")], retained=True)
    assert list(unsent.take()) == [([(b"a", b"2"), (b"b", b"2")], True), ([(b"a", b"3")], False)]
    assert unsent.dropped == 2
    assert not unsent


class Talk:
    """A session that is given its turns by the test."""

    def __init__(self, broker: Broker) -> None:
        self.heard: list[Message] = []
        self.late: list[bytes] = []
        self.session = Session(Address("127.0.0.1", broker.port, "bulk"), self._begin, self._hear)
        self._ring, self._bell = socket.socketpair()
        self.session.open()

    def _begin(self) -> None:
        self.session.subscribe([("bulk/in/#", 0), ("bulk/late", 1)])

    def _hear(self, message: mqtt.MQTTMessage) -> None:
        self.late.append(bytes(message.payload))

    def turn(self) -> None:
        self.session.wait(self._ring, 0.05)
        self.heard += self.session.receive()
        self.session.look_after()


@pytest.fixture
def talk(broker: Broker) -> Iterator[Talk]:
    made = Talk(broker)
    yield made
    made.session.close()


def test_messages_of_both_qualities_of_service_arrive_and_many_are_sent_as_one(broker: Broker, talk: Talk) -> None:
    listener = Peer(broker, "bulk/out/#")
    publisher = Peer(broker)
    publisher.publish("bulk/in/kept", "kept", retain=True)
    while not talk.heard:
        talk.turn()
    assert talk.heard.pop() == (b"bulk/in/kept", b"kept", 1)
    for n in range(200):
        publisher.publish(f"bulk/in/{n}", str(n), qos=0)
    publisher.publish("bulk/late", "late", qos=1)
    while len(talk.heard) < 200 or not talk.late:
        talk.turn()
    assert [payload for _, payload, _ in talk.heard] == [b"%d" % n for n in range(200)]
    assert talk.late == [b"late"]
    talk.session.send([(b"bulk/out/%d" % (n % 7), b"%d" % n) for n in range(5_000)])
    while not listener.last("bulk/out/1"):
        talk.turn()
    listener.wait("bulk/out/1", b"4999".__eq__)
    assert talk.session.dropped == 0
    for peer in (listener, publisher):
        peer.close()


def test_a_broker_that_stands_still_is_told_the_newest_when_it_goes_on(broker: Broker, talk: Talk) -> None:
    while not talk.session.accepted:
        talk.turn()
    listener = Peer(broker, "bulk/out/#")
    with stopped(broker.process.pid):
        for n in range(20_000):
            talk.session.send([(b"bulk/out/a", b"%d " % n + bytes(1_000)), (b"bulk/out/b", b"%d " % n)])
        assert talk.session.dropped > 0
        assert talk.session._client.on_the_way() < 2 * MOST_ON_THE_WAY
    for topic in ("bulk/out/a", "bulk/out/b"):
        while not (listener.last(topic) or b"").startswith(b"19999 "):
            talk.turn()
    listener.close()
