"""Many messages in one piece are heard as if each had been published, whatever version of paho is there."""

import threading

import pytest

from piio import connection as connection_module
from piio.bundle import FULL, Bundle
from piio.connection import Connection
from piio.errors import NotConnected
from tests.client.conftest import Broker
from tests.client.ear import PATIENCE, Ear
from tests.standstill import stopped

BLOCK = "piio/demo/block/a/b"


def bundle(*payloads: bytes, topic: str = BLOCK) -> Bundle:
    made = Bundle()
    for payload in payloads:
        made.add(topic, payload)
    return made


def test_all_are_heard_in_order_among_what_is_published_otherwise_short_and_long(own: Broker, ear: Ear) -> None:
    sizes = (0, 1, 126, 127, 128, 300, 16_383, 16_384, 60_000)
    payloads = [bytes([n]) * size for n, size in enumerate(sizes)]
    with Connection(own.address("demo"), lambda _: None) as demo:
        demo.publish(BLOCK, b"first", 1)
        assert demo.publish_all(bundle(*payloads))
        demo.publish(BLOCK, b"last")
        heard = ear.wait(len(payloads) + 2)
    assert [message.payload for message in heard] == [b"first", *payloads, b"last"]


def test_what_is_to_be_retained_is_and_nothing_else(own: Broker) -> None:
    made = Bundle()
    made.add("piio/demo/raw/a/kept", b"1", retain=True)
    made.add("piio/demo/raw/a/passing", b"2")
    with Connection(own.address("demo"), lambda _: None) as demo:
        demo.publish_all(made)
    ear = Ear(own.address("anna"), "piio/demo/raw/#")
    assert [(each.topic, each.payload, each.retained) for each in ear.wait(1)] == [("piio/demo/raw/a/kept", b"1", True)]
    ear.close()


def test_a_topic_may_have_letters_of_any_language(own: Broker) -> None:
    ear = Ear(own.address("anna"), "piio/demo/raw/#")
    with Connection(own.address("demo"), lambda _: None) as demo:
        demo.publish_all(bundle(b"1", topic="piio/demo/raw/a/Größe"))
        assert ear.wait(1)[0].topic == "piio/demo/raw/a/Größe"
    ear.close()


def test_for_a_broker_that_does_not_read_so_many_wait_and_no_more(
    own: Broker, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "MOST_UNSENT", 1000)
    payloads = [bytes(40_000)] * 100  # ten of these are more than the buffers of a socket hold
    with Connection(own.address("demo"), lambda _: None) as demo:
        with stopped(own.pid):
            taken = [demo.publish_all(bundle(*payloads)) for _ in range(15)]
            assert demo.room < 100
            assert demo.dropped == 100 * taken.count(False) >= 100
        ear.wait(100 * taken.count(True))
        # Its answer comes on the thread that counts what has left.
        answered = threading.Event()
        demo.publish("piio/demo/status", b"online", 1, on_acknowledged=lambda _: answered.set())
        assert answered.wait(PATIENCE)
        assert demo.room == 1000


def test_without_a_connection_nothing_is_sent_and_who_publishes_is_told(own: Broker) -> None:
    with Connection(own.address("demo"), lambda _: None) as demo:
        pass
    with pytest.raises(NotConnected):
        demo.publish_all(bundle(b"1"))


def test_a_bundle_says_when_it_is_time_to_send_it() -> None:
    assert not bundle(b"1").full
    assert bundle(bytes(FULL)).full
