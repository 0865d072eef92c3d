"""Sending from the control plane: in order, on the present connection or not at all."""

import asyncio
import logging
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from piio_bridge.leadership import Leadership
from piio_schemas.documents import LARGEST

log = logging.getLogger(__name__)

MOST_UNDER_WAY = 20_000
"""Messages that may wait for a broker that is slow, in the seconds until it is known to be dead."""


class Outbox:
    """Sends without being waited for, so that who handles messages never waits for the broker.

    Who leads no more sends nothing more; while that is in doubt, what is to be sent waits for the answer.
    """

    def __init__(self, leadership: Leadership) -> None:
        self._leadership = leadership
        self._client: aiomqtt.Client | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self.lost = 0

    def connect(self, client: aiomqtt.Client | None) -> None:
        """Send on this connection from now on; None: nowhere."""
        self._client = client

    def send(
        self, topic: str, payload: bytes | str, qos: int = 0, retain: bool = False, properties: Properties | None = None
    ) -> bool:
        """Send a message; False if there is no connection, or it is too large: it is lost then, never queued."""
        client = self._client
        if client is None or len(payload) > LARGEST or len(self._under_way) >= MOST_UNDER_WAY:
            self.lost += 1
            return False
        task = asyncio.get_running_loop().create_task(self._send(client, topic, payload, qos, retain, properties))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return True

    def answer(self, topic: str, correlation: bytes | None, payload: bytes) -> None:
        """Answer a request on its response topic."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation is not None:
            properties.CorrelationData = correlation
        self.send(topic, payload, 1, False, properties)

    async def drain(self) -> None:
        """Wait until what was sent is on its way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=2)

    async def _send(
        self, client: aiomqtt.Client, topic: str, payload: bytes | str, qos: int, retain: bool, properties: Any
    ) -> None:
        if not await self._leadership.confirm():
            self.lost += 1
            return
        try:
            await client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        except aiomqtt.MqttError as error:
            self.lost += 1
            log.debug("%s was not sent: %s", topic, error)
