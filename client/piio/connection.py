"""One MQTT 5 connection to the broker, from its beginning to its end.

It never reconnects and never queues for later: what is published while it is down is refused, so that nothing acts
late. Whoever wants to stay connected makes a new one (`piio.keeper`).
"""

import logging
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from piio.acknowledgements import Acknowledgements, OnAcknowledged
from piio.address import Address
from piio.bundle import Bundle
from piio.errors import MessageTooLarge, NotConnected
from piio.intake import IntakeClient
from piio.traffic import Traffic, cut
from piio_schemas.documents import LARGEST

log = logging.getLogger(__name__)

KEEPALIVE = 10
"""Seconds; a dead connection is noticed within one and a half of it."""

MOST_UNSENT = 10_000
"""Messages that may wait for a slow broker; what comes on top is dropped and counted."""


class Message(Struct, frozen=True):
    """What arrived. `retained` says that it was stored at the broker before we subscribed."""

    topic: str
    payload: bytes
    retained: bool
    response_topic: str | None = None
    correlation: bytes | None = None


class Will(Struct, frozen=True):
    """What the broker says for us when we vanish."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True


OnMessage = Callable[[Message], None]
OnLost = Callable[[str], None]


class Connection:
    """An MQTT 5 session that lives as long as its TCP connection; `with` is its lifetime.

    `on_message` and `on_lost` run on the connection's own thread: return soon, and never wait there for an answer.
    Who hears much and can wait for it lets it `gather` for up to some seconds after each look: the first after silence
    comes at once, and a thread that wakes for each message costs more than the message.
    """

    def __init__(
        self,
        address: Address,
        on_message: OnMessage,
        on_lost: OnLost | None = None,
        will: Will | None = None,
        gather: float = 0.0,
    ) -> None:
        self.address = address
        self.dropped = 0
        self._on_message = on_message
        self._on_lost = on_lost
        self._answered = threading.Event()
        self._over = threading.Event()
        self._closing = False
        self._lost = False
        self._reason = self._why = ""
        self._connected = False
        self._unsent = 0
        self._acknowledgements = Acknowledgements()
        self._client = self._make_client(will)
        self._traffic = Traffic(self._client, self._ended, gather)

    def _make_client(self, will: Will | None) -> IntakeClient:
        client = IntakeClient(
            CallbackAPIVersion.VERSION2,
            on_plain=lambda topic, payload, retained: _guarded(self._on_message, Message(topic, payload, retained)),
            client_id=f"piio-{secrets.token_hex(12)}",  # nobody can guess it and take the connection over
            protocol=mqtt.MQTTv5,
            transport=self.address.transport,
            reconnect_on_failure=False,
        )
        prepare(client, self.address)
        if will:
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.on_connect = self._connack
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_publish = self._sent
        return client

    @property
    def connected(self) -> bool:
        """Whether the broker accepted us and nothing has ended the connection since."""
        return self._connected

    def open(self, timeout: float = 10.0) -> None:
        """Connect and wait for the broker's answer; NotConnected says who refused and why. Opening twice is fine."""
        if self._connected:
            return
        self._client.connect_timeout = timeout
        try:
            self._client.connect(self.address.host, self.address.port, KEEPALIVE, clean_start=True)
        except (OSError, ValueError) as error:
            raise NotConnected(f"no broker at {self.address}: {error}") from error
        self._traffic.start()
        if not self._answered.wait(timeout) or not self._connected:
            self.close()
            raise NotConnected(self._reason or f"the broker at {self.address} did not answer within {timeout:g} s")

    def subscribe(self, filters: Iterable[tuple[str, int]], as_published: bool = False) -> None:
        """Ask for topics: pairs of filter and QoS. What is retained arrives at once, marked.

        With `as_published`, what is being retained just now is marked as well.
        """
        options = [(filter, SubscribeOptions(qos=qos, retainAsPublished=as_published)) for filter, qos in filters]
        self._client.subscribe(options)

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Hear topics no more."""
        self._client.unsubscribe(list(filters))

    def publish(
        self,
        topic: str,
        payload: bytes | str,
        qos: int = 0,
        retain: bool = False,
        properties: Properties | None = None,
        on_acknowledged: OnAcknowledged | None = None,
    ) -> mqtt.MQTTMessageInfo | None:
        """Send now or not at all; NotConnected while down. None: dropped, as too many wait already.

        `on_acknowledged` hears the reason code that the broker answers at QoS 1, e.g. 0x87 for "not allowed".
        """
        if len(payload) > LARGEST:
            raise MessageTooLarge(f"{len(payload)} bytes on {topic}: a message may have {LARGEST}")
        if not self._connected:
            raise NotConnected(f"not connected to {self.address}: nothing was sent")
        if self._unsent >= MOST_UNSENT:
            self.dropped += 1
            return None
        self._unsent += 1
        with self._acknowledgements.expected(on_acknowledged) as sent:
            info = self._client.publish(topic, payload, qos, retain, properties)
            sent(info.mid)
        return info

    @property
    def room(self) -> int:
        """How many messages it would take now."""
        return MOST_UNSENT - self._unsent

    def publish_all(self, bundle: Bundle) -> bool:
        """Send many messages in one piece, now or not at all; NotConnected while down. False: dropped, all of them."""
        if not self._connected:
            raise NotConnected(f"not connected to {self.address}: nothing was sent")
        if bundle.count > self.room:
            self.dropped += bundle.count
            return False
        self._unsent += bundle.count
        return bundle.queue(self._client)

    def request(
        self,
        topic: str,
        payload: bytes,
        reply_to: str,
        correlation: bytes,
        on_acknowledged: OnAcknowledged | None = None,
    ) -> None:
        """Publish a request whose answer is wanted on `reply_to`."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = reply_to
        properties.CorrelationData = correlation
        self.publish(topic, payload, 1, False, properties, on_acknowledged)

    def abandon(self, reason: str) -> None:
        """End the connection without a goodbye, so that the broker publishes the will."""
        self._reason = self._reason or reason
        cut(self._client.socket())

    def close(self) -> None:
        """Say goodbye and end; closing twice is fine. What was published before is sent first."""
        self._closing = True
        self._traffic.stop()
        self._connected = False
        self._over.set()

    def wait_lost(self, timeout: float | None = None) -> bool:
        """Wait until the connection has ended; False if it has not within `timeout` seconds."""
        return self._over.wait(timeout)

    def __enter__(self) -> "Connection":
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connack(self, client: mqtt.Client, _: Any, __: Any, code: ReasonCode, ___: Any) -> None:
        if code.is_failure:
            self._reason = f"the broker at {self.address} refused '{self.address.user}': {code}"
            self._closing = True
            client.disconnect()
        else:
            self._connected = True
        self._answered.set()

    def _disconnected(self, _: mqtt.Client, __: Any, ___: Any, code: ReasonCode, ____: Any) -> None:
        self._lost, self._connected = self._lost or self._connected, False
        self._why = self._why or f"the connection to {self.address} was lost: {code}"

    def _ended(self) -> None:
        tell = (self._lost or self._connected) and not self._closing
        self._connected = False
        self._answered.set()
        self._over.set()
        if tell and self._on_lost:
            _guarded(self._on_lost, self._reason or self._why)

    def _received(self, _: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        properties = message.properties
        _guarded(
            self._on_message,
            Message(
                topic=message.topic,
                payload=bytes(message.payload),
                retained=message.retain,
                response_topic=getattr(properties, "ResponseTopic", None),
                correlation=getattr(properties, "CorrelationData", None),
            ),
        )

    def _sent(self, _: mqtt.Client, __: Any, mid: int, code: ReasonCode, ___: Any) -> None:
        if mid < 0:  # a bundle of so many
            self._unsent += mid
            return
        self._unsent -= 1
        self._acknowledgements.arrived(mid, code.value)


def _guarded(callback: Callable[[Any], None], argument: Any) -> None:
    """Call back; an exception would kill the network thread while everything looks alive."""
    try:
        callback(argument)
    except Exception:
        log.exception("a message could not be handled")


def prepare(client: mqtt.Client, address: Address) -> None:
    """Have a client log in as an address says, over TLS where it says so, and send what it has without delay."""
    client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set_context(ssl.create_default_context(cafile=address.ca_file))
    client.on_socket_open = _without_delay


def _without_delay(_: mqtt.Client, __: Any, sock: Any) -> None:
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
