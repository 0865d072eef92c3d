"""The control plane's connection to the broker: a paho session on the event loop."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from piio.address import Address
from piio.connection import KEEPALIVE, Message, prepare
from piio.intake import IntakeClient
from piio.traffic import forget_unsent
from piio_bridge.errors import BridgeError
from piio_schemas.states import OFFLINE
from piio_schemas.topics import BRIDGE_STATUS

log = logging.getLogger(__name__)

TIMEOUT = 5.0
"""Seconds that the broker may take to answer when we connect or subscribe."""

GOODBYE = 1.0
"""Seconds that a broker may take to read that we leave."""

LOOK_AFTER = 1.0
"""Seconds between two looks at the keepalive."""

Take = Callable[[Message], None]


class LinkLost(BridgeError, ConnectionError):
    """There is no connection to the broker, or none any more; the text says why."""


class Link:
    """One connection, for one event loop; `async with` is its lifetime.

    `take` is called with each message as it arrives, and what is sent is written at once: nothing passes a queue, a
    task or a thread on its way. Between the two the loop takes one turn, for each only costs time.
    """

    def __init__(self, address: Address, prefix: str, take: Take) -> None:
        self.waiting = 0
        """How many messages wait for the broker."""
        self._address = address
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[None] = self._loop.create_future()
        self._over: asyncio.Future[str] = self._loop.create_future()
        self._last: mqtt.MQTTMessageInfo | None = None
        self._sock: Any = None
        self._blocked = False
        self._timer: asyncio.TimerHandle | None = None
        self._client = self._make_client(prefix)

    def _make_client(self, prefix: str) -> IntakeClient:
        client = IntakeClient(
            CallbackAPIVersion.VERSION2,
            on_plain=lambda topic, payload, retained: self._take(Message(topic, payload, retained)),
            client_id=f"piio-bridge-{secrets.token_hex(12)}",  # nobody can guess it and take the connection over
            protocol=mqtt.MQTTv5,
            transport=self._address.transport,
            reconnect_on_failure=False,
        )
        prepare(client, self._address)
        client.will_set(BRIDGE_STATUS.at(prefix), OFFLINE, 1, True)
        client.connect_timeout = TIMEOUT
        client.on_connect = self._connack
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._suback
        client.on_message = self._heard
        client.on_publish = self._sent
        client.on_socket_close = self._detach
        client.on_socket_register_write = self._write
        return client

    async def __aenter__(self) -> Self:
        try:
            # Looking a name up may take its time, so not here.
            await asyncio.to_thread(self._client.connect, self._address.host, self._address.port, KEEPALIVE)
            self._attach()
            await self._answered()
        except (OSError, ValueError) as error:
            self.give_up()
            raise error if isinstance(error, LinkLost) else LinkLost(str(error)) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._over.done():
            self._client.disconnect()
            await asyncio.wait([self._over], timeout=GOODBYE)
        self.give_up()

    async def subscribe(self, filters: Sequence[tuple[str, SubscribeOptions]]) -> None:
        """Ask for topics, and wait until the broker has heard it; LinkLost if it does not answer."""
        self._answer = self._loop.create_future()
        self._client.subscribe(list(filters))
        await self._answered()

    async def lost(self) -> None:
        """Wait until the connection is lost, and raise LinkLost then."""
        raise LinkLost(await asyncio.shield(self._over))

    def send(self, topic: str, payload: bytes | str, qos: int, retain: bool, properties: Properties | None) -> bool:
        """Publish without waiting for the broker's word; False if there is no connection any more."""
        self.waiting += 1
        sent = self._client.publish(topic, payload, qos, retain, properties)
        self._last = sent if qos else self._last
        return sent.rc == mqtt.MQTT_ERR_SUCCESS

    async def drain(self, within: float) -> None:
        """Wait for the broker's word on the last message that it has to confirm, and so on all before it."""
        if self._last:
            with suppress(RuntimeError, ValueError):  # it was not even sent
                await asyncio.to_thread(self._last.wait_for_publish, within)

    def give_up(self) -> None:
        """End it without a goodbye, and send nothing any more, not even what is on its way; again is fine."""
        sock: Any = self._client.socket()
        if sock is not None and sock.fileno() >= 0:
            forget_unsent(sock)
            self._detach()
            sock.close()
        self._end("it was given up")

    async def _answered(self) -> None:
        either: list[asyncio.Future[Any]] = [self._answer, self._over]
        await asyncio.wait(either, timeout=TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        if self._over.done():
            raise LinkLost(self._over.result())
        if not self._answer.done():
            raise LinkLost(f"the broker did not answer within {TIMEOUT:g} s")

    def _attach(self) -> None:
        self._sock = self._client.socket()
        if self._sock is not None:
            self._loop.add_reader(self._sock, self._read)
            self._look_after()
            self._write()

    def _detach(self, *_: object) -> None:
        """The socket is about to be closed: nobody waits for it any more."""
        sock, self._sock = self._sock, None
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
        if self._timer:
            self._timer.cancel()

    def _read(self) -> None:
        sock = self._sock
        try:
            self._client.loop_read()
            while self._sock is not None and hasattr(sock, "pending") and sock.pending():
                self._client.loop_read()
        except Exception as error:  # paho's, of what no broker should send
            log.exception("what the broker sent was not understood")
            self._end(f"what it sent was not understood: {error}")

    def _write(self, *_: object) -> None:
        """Write what has just been published; only what the socket does not take waits for the loop."""
        if self._sock is None:
            return  # not yet, or not any more; paho calls this on the connecting thread, too
        self._client.loop_write()
        blocked = self._client.want_write()
        if self._sock is not None and blocked != self._blocked:
            self._blocked = blocked
            if blocked:
                self._loop.add_writer(self._sock, self._write)
            else:
                self._loop.remove_writer(self._sock)

    def _look_after(self) -> None:
        self._timer = self._loop.call_later(LOOK_AFTER, self._look_after)
        self._client.loop_misc()

    def _end(self, reason: str) -> None:
        if not self._over.done():
            self._over.set_result(reason)

    def _connack(self, _: mqtt.Client, __: Any, ___: Any, code: ReasonCode, ____: Any) -> None:
        if code.is_failure:
            self._end(f"the broker refused '{self._address.user}': {code}")
        elif not self._answer.done():
            self._answer.set_result(None)

    def _suback(self, *_: Any) -> None:
        if not self._answer.done():
            self._answer.set_result(None)

    def _disconnected(self, _: mqtt.Client, __: Any, ___: Any, code: ReasonCode, ____: Any) -> None:
        self._end(f"the connection was lost: {code}")

    def _heard(self, _: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        properties = message.properties
        response_topic = getattr(properties, "ResponseTopic", None)
        correlation = getattr(properties, "CorrelationData", None)
        self._take(Message(message.topic, bytes(message.payload), message.retain, response_topic, correlation))

    def _sent(self, *_: Any) -> None:
        self.waiting -= 1
