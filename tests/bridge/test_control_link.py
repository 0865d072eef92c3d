"""The control plane's connection: what is sent leaves at once and in order, whatever the broker does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from paho.mqtt.subscribeoptions import SubscribeOptions

from piio.address import Address
from piio.connection import Message
from piio_bridge.control.link import Link, LinkLost
from tests.apart import run_apart
from tests.bridge.peers import Broker, Peer
from tests.standstill import stopped

PATIENCE = 10.0

PAYLOAD = "x" * 30_000


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Broker]:
    """A broker that a test may stop and kill."""
    broker = Broker(tmp_path)
    yield broker
    broker.kill()


class Ends:
    """A link and what came to it."""

    def __init__(self, broker: Broker) -> None:
        self.heard: list[str] = []
        self._news = asyncio.Event()
        self.link = Link(Address("127.0.0.1", broker.port, "bridge"), "piio", self._take)

    def _take(self, message: Message) -> None:
        self.heard.append(message.payload.decode().rstrip("x"))
        self._news.set()

    def send(self, number: int, qos: int = 0) -> bool:
        return self.link.send("piio/demo/value/lamp/result", f"{number}{PAYLOAD}", qos, False, None)

    async def hear(self, count: int) -> list[str]:
        """Wait until so many messages came."""
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < count:
                self._news.clear()
                await self._news.wait()
        return self.heard


@asynccontextmanager
async def linked(broker: Broker) -> AsyncIterator[Ends]:
    ends = Ends(broker)
    async with ends.link:
        await ends.link.subscribe([("piio/demo/value/lamp/result", SubscribeOptions(qos=0))])
        yield ends


def test_a_broker_that_does_not_read_holds_nobody_up_and_gets_all_in_order_when_it_reads(own: Broker) -> None:
    async def go() -> None:
        async with linked(own) as ends:
            with stopped(own.process.pid):
                assert all(ends.send(number, number % 2) for number in range(400))
                assert ends.link.waiting > 0
            heard = await ends.hear(400)
            for qos in (0, 1):  # of those that it has to confirm, a broker takes twenty at once
                assert [int(number) for number in heard if int(number) % 2 == qos] == list(range(qos, 400, 2))
            await ends.link.drain(PATIENCE)
            assert ends.link.waiting == 0

    run_apart(go())


def test_what_was_sent_before_the_end_is_drained(own: Broker) -> None:
    async def go() -> None:
        async with linked(own) as ends:
            for number in range(100):
                ends.send(number, 1)
            await ends.link.drain(PATIENCE)

    peer = Peer(own, "piio/demo/value/lamp/result")
    run_apart(go())
    peer.wait("piio/demo/value/lamp/result", lambda payload: payload.startswith(b"99x"))
    peer.close()


def test_who_waits_for_the_end_of_a_link_is_told_and_nothing_is_sent_after_it(own: Broker) -> None:
    async def go() -> None:
        ends = Ends(own)
        with pytest.raises(LinkLost):
            await lose(own, ends.link)
        assert not ends.send(1)

    run_apart(go())


async def lose(broker: Broker, link: Link) -> None:
    async with link:
        broker.kill()
        async with asyncio.timeout(PATIENCE):
            await link.lost()
