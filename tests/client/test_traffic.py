"""What is published leaves at once, in order, by whoever publishes it, and nobody is held up."""

import os
import signal
import threading
import time

import pytest

from piio.connection import Connection, Message
from piio.errors import NotConnected
from piio.traffic import pause_after
from tests.client.conftest import Broker
from tests.client.ear import PATIENCE, Ear
from tests.standstill import stopped


def test_many_publish_on_one_connection_and_each_ones_messages_keep_their_order(own: Broker, ear: Ear) -> None:
    publishers, messages = 4, 500
    with Connection(own.address("demo"), lambda _: None) as demo:

        def publish(topic: str) -> None:
            for number in range(messages):
                demo.publish(topic, str(number))

        threads = [threading.Thread(target=publish, args=(f"piio/demo/block/a/{n}",)) for n in range(publishers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        heard = ear.wait(publishers * messages)
    for n in range(publishers):
        numbers = [int(message.payload) for message in heard if message.topic == f"piio/demo/block/a/{n}"]
        assert numbers == list(range(messages))


def test_what_was_published_before_the_goodbye_arrives(own: Broker, ear: Ear) -> None:
    with Connection(own.address("demo"), lambda _: None) as demo:
        for number in range(300):
            demo.publish("piio/demo/block/a/b", str(number))
    assert [int(message.payload) for message in ear.wait(300)] == list(range(300))


def test_a_broker_that_does_not_read_holds_up_no_publisher_and_gets_all_when_it_reads(own: Broker, ear: Ear) -> None:
    payload = bytes(30_000)  # all of it is more than the buffers of a socket hold
    with Connection(own.address("demo"), lambda _: None) as demo:
        with stopped(own.pid):
            for _ in range(400):
                demo.publish("piio/demo/block/a/b", payload)
            worked = time.process_time()
            demo.wait_lost(0.5)
            assert time.process_time() - worked < 0.1  # it waits for the socket, and does not ask it all the time
        assert all(message.payload == payload for message in ear.wait(400))


def test_who_publishes_may_hold_what_its_callback_waits_for(own: Broker, ear: Ear) -> None:
    mine, answers = threading.Lock(), threading.Semaphore(0)

    def hear(_: Message) -> None:
        with mine:
            answers.release()

    with Connection(own.address("demo"), hear) as demo:
        demo.subscribe([("piio/demo/beacon", 0)])
        for _ in range(500):
            with mine:
                demo.publish("piio/demo/beacon", b"{}")
                demo.publish("piio/demo/block/a/b", b"1", 1)
            assert answers.acquire(timeout=PATIENCE)
    ear.wait(500)


def test_what_is_published_from_a_callback_leaves_at_once(own: Broker, ear: Ear) -> None:
    answered = threading.Event()

    def answer(message: Message) -> None:
        number = int(message.payload)
        if number < 200:
            demo.publish("piio/demo/beacon", str(number + 1))
        else:
            answered.set()

    with Connection(own.address("demo"), answer) as demo:
        demo.subscribe([("piio/demo/beacon", 0)])
        demo.publish("piio/demo/beacon", b"0")
        assert answered.wait(PATIENCE)
    ear.wait(0)


def test_a_broker_that_dies_under_a_publisher_is_told_once_and_on_the_connections_thread(own: Broker) -> None:
    told: list[str] = []

    def lost(_: str) -> None:
        told.append(threading.current_thread().name)

    with Connection(own.address("demo"), lambda _: None, lost) as demo:
        os.kill(own.pid, signal.SIGKILL)
        with pytest.raises(NotConnected):
            publish_for_ever(demo)
        assert demo.wait_lost(PATIENCE)
    assert told == ["piio connection"]


def publish_for_ever(connection: Connection) -> None:
    while True:
        connection.publish("piio/demo/block/a/b", b"1")


def test_who_lets_messages_gather_hears_all_of_them_in_order(own: Broker) -> None:
    heard: list[int] = []
    enough = threading.Event()

    def hear(message: Message) -> None:
        heard.append(int(message.payload))
        if heard[-1] in (0, 100):
            enough.set()

    with Connection(own.address("anna"), hear, gather=1.0) as lazy, Connection(own.address("demo"), print) as demo:
        lazy.subscribe([("piio/demo/block/#", 1)])
        demo.publish("piio/demo/block/a/b", b"0", 1, True)
        assert enough.wait(PATIENCE)
        enough.clear()
        for number in range(1, 101):
            demo.publish("piio/demo/block/a/b", str(number))
        assert enough.wait(PATIENCE)
    assert heard == list(range(101))


def test_the_more_has_come_the_longer_the_next_gathers_but_what_piles_up_is_read_at_once() -> None:
    assert pause_after(26, longest=0.02) == 0.005
    assert pause_after(300, longest=0.02) == pytest.approx(0.015)
    assert pause_after(2000, longest=0.02) == 0.02
    assert pause_after(26, longest=0.002) == 0.002
    assert pause_after(20_000, longest=0.02) == 0
