"""Sending from the control plane: in order, on the present connection or not at all."""

import asyncio

from msgspec import Struct
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from piio_bridge.control.link import Link
from piio_bridge.leadership import Leadership
from piio_schemas.documents import LARGEST

MOST_WAITING = 20_000
"""Messages that may wait for a broker that is slow, in the seconds until it is known to be dead."""

LOOK = 0.01
"""Seconds between two looks at how many wait."""

LAST_WORDS = 2.0
"""Seconds that the broker may take at the end."""


class Outgoing(Struct, frozen=True):
    """A message for one connection."""

    link: Link
    topic: str
    payload: bytes | str
    qos: int
    retain: bool
    properties: Properties | None

    def send(self) -> bool:
        """Send it; False if the connection is gone, or too much waits for it."""
        if self.link.waiting >= MOST_WAITING:
            return False
        return self.link.send(self.topic, self.payload, self.qos, self.retain, self.properties)


class Outbox:
    """Sends without being waited for, so that who handles messages never waits for the broker.

    Who leads no more sends nothing more; while that is in doubt, what is to be sent waits for the answer.
    """

    def __init__(self, leadership: Leadership) -> None:
        self._leadership = leadership
        self._link: Link | None = None
        self._doubtful: list[Outgoing] = []
        self._asking: asyncio.Task[None] | None = None
        self.lost = 0

    def connect(self, link: Link | None) -> None:
        """Send on this connection from now on; None: nowhere."""
        self._link = link

    def send(
        self, topic: str, payload: bytes | str, qos: int = 0, retain: bool = False, correlation: bytes | None = None
    ) -> bool:
        """Send a message; False if there is no connection, or it is too large: it is lost then, never queued.

        By its correlation data whoever hears it knows which one it is.
        """
        if self._link is None or len(payload) > LARGEST or len(self._doubtful) >= MOST_WAITING:
            self.lost += 1
            return False
        message = Outgoing(self._link, topic, payload, qos, retain, _properties(correlation))
        if self._asking or not self._leadership.holds():
            self._doubtful.append(message)
            self._asking = self._asking or asyncio.get_running_loop().create_task(self._ask())
            return True
        sent = message.send()
        self.lost += not sent
        return sent

    def answer(self, topic: str, correlation: bytes | None, payload: bytes) -> None:
        """Answer a request on its response topic."""
        self.send(topic, payload, 1, False, correlation)

    async def wait_room(self, most: int) -> None:
        """Wait until no more than so many messages wait for the broker, so that much to say leaves room for others."""
        link = self._link
        while link is not None and link is self._link and link.waiting > most:
            await asyncio.sleep(LOOK)

    async def drain(self) -> None:
        """Wait until the broker has what was sent."""
        if self._asking:
            await asyncio.wait([self._asking], timeout=LAST_WORDS)
        if self._link:
            await self._link.drain(LAST_WORDS)

    async def _ask(self) -> None:
        leads = await self._leadership.confirm()
        messages, self._doubtful, self._asking = self._doubtful, [], None
        for message in messages:
            self.lost += not (leads and message.send())


def _properties(correlation: bytes | None) -> Properties | None:
    if correlation is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.CorrelationData = correlation
    return properties
