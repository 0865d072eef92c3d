"""The control plane's connection to the broker: aiomqtt, without the turns of its event loop that only cost time."""

import asyncio
import secrets
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, MQTTMessageInfo
from paho.mqtt.properties import Properties

from piio.address import Address
from piio.connection import KEEPALIVE
from piio.traffic import forget_unsent
from piio_schemas.states import OFFLINE
from piio_schemas.topics import BRIDGE_STATUS

Take = Callable[[aiomqtt.Message], None]


class Link(aiomqtt.Client):
    """One connection: `take` is called with each message as it arrives, and what is sent is written at once.

    By itself aiomqtt brings a message through a queue and two tasks, and asks its event loop before it writes: about
    ten turns of the loop for each set, where the two that are left do.
    """

    def __init__(self, address: Address, prefix: str, take: Take) -> None:
        self.waiting = 0
        """How many messages wait for the broker."""
        self._last: MQTTMessageInfo | None = None
        super().__init__(
            address.host, address.port, username=address.user, password=address.password,
            identifier=f"piio-bridge-{secrets.token_hex(12)}", protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True, keepalive=KEEPALIVE, timeout=5,
            will=aiomqtt.Will(BRIDGE_STATUS.at(prefix), OFFLINE, 1, True),
            tls_context=ssl.create_default_context(cafile=address.ca_file) if address.tls else None,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            queue_type=lambda **_: _Through(take),  # type: ignore[arg-type]
        )  # fmt: skip

    async def lost(self) -> None:
        """Wait until the connection is lost, and raise MqttError then."""
        async for _ in self.messages:
            pass

    def send(self, topic: str, payload: bytes | str, qos: int, retain: bool, properties: Properties | None) -> bool:
        """Publish without waiting for the broker's word; False if there is no connection any more."""
        self.waiting += 1
        sent = self._client.publish(topic, payload, qos, retain, properties)
        self._last = sent if qos else self._last
        return sent.rc == MQTT_ERR_SUCCESS

    async def drain(self, within: float) -> None:
        """Wait for the broker's word on the last message that it has to confirm, and so on all before it."""
        if self._last:
            with suppress(RuntimeError, ValueError):  # it was not even sent
                await asyncio.to_thread(self._last.wait_for_publish, within)

    def give_up(self) -> None:
        """Send nothing any more, not even what is on its way."""
        sock: Any = self._client.socket()
        if sock is not None:
            forget_unsent(sock)

    def _on_publish(self, *arguments: Any) -> None:
        self.waiting -= 1
        super()._on_publish(*arguments)

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        """Write what has just been published; only what the socket does not take waits for the loop."""
        if self._connected.done():
            client.loop_write()
        if client.want_write() and client.socket() is not None:
            super()._on_socket_register_write(client, userdata, sock)


class _Through(asyncio.Queue[aiomqtt.Message]):
    """What aiomqtt puts in goes to who takes it; nobody ever gets anything out."""

    def __init__(self, take: Take) -> None:
        super().__init__()
        self._take = take

    def put_nowait(self, message: aiomqtt.Message) -> None:
        self._take(message)
