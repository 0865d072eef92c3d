"""The agent's way to the broker: the topics it writes, on whatever connection is up."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from msgspec import Struct

from piio.acknowledgements import OnAcknowledged
from piio.address import Address
from piio.bundle import Bundle
from piio.connection import Connection, Message, Will
from piio.errors import NotConnected, PiioError
from piio.keeper import Keeper
from piio_agent.channel import ChannelId
from piio_schemas import topics
from piio_schemas.documents import LARGEST, encode
from piio_schemas.numbers import number_to_text
from piio_schemas.topics import Topic

log = logging.getLogger(__name__)

OFFLINE = b"offline"
ONLINE = b"online"

OnConnected = Callable[[int, Connection], None]
OnMessage = Callable[[int, Message], None]


class Uplink:
    """Keeps one connection up and numbers them from 1; both callbacks run on threads of the connection's.

    What is published while there is none, or before a new one was adopted, goes nowhere: on each connection the agent
    says all anew, in its order.
    """

    def __init__(
        self, address: Address, name: str, prefix: str, on_connected: OnConnected, on_message: OnMessage
    ) -> None:
        self.name = name
        self.prefix = prefix
        self._number = 0
        self._connection: Connection | None = None
        self._address = address
        self._on_connected = on_connected
        self._on_message = on_message
        self._raws: dict[ChannelId, str] = {}
        self._bundle: Bundle | None = None
        """What was said since `together` began."""
        self._pause = 0.0
        self._stopping = threading.Event()
        self._dropped = 0
        self._keeper = Keeper(self._make, self._serve)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._keeper.start()

    @property
    def up(self) -> bool:
        """Whether a connection is up."""
        return self._connection is not None and self._connection.connected

    @property
    def dropped(self) -> int:
        """Messages that a slow broker could not take."""
        return self._dropped + (self._connection.dropped if self._connection else 0)

    def adopt(self, connection: Connection) -> None:
        """Speak on this connection from now on, and hear there everything an agent hears."""
        self._dropped, self._connection = self.dropped, connection
        connection.subscribe(self._filters(), as_published=True)  # what acts must not be retained, not even now

    @contextmanager
    def together(self) -> Iterator[None]:
        """What the calling thread says at QoS 0 within the block leaves in one piece, in its order, at its end.

        That it was taken means then that there was room for it. For one thread, the one that says everything.
        """
        self._bundle = Bundle()
        try:
            yield
        finally:
            self._send_bundle()
            self._bundle = None

    def say(self, topic: Topic, document: bytes | Struct, **levels: str) -> bool:
        """Publish on a topic of ours, by the table's QoS and retain flag; False: it went nowhere."""
        payload = encode(document) if isinstance(document, Struct) else document
        return self._publish(self.topic(topic, **levels), payload, topic.qos, topic.retained)

    def deliver(self, topic: Topic, document: Any, on_acknowledged: OnAcknowledged, **levels: str) -> bool:
        """Publish and hear the broker's answer, on a thread of the connection's; False: it went nowhere."""
        where = self.topic(topic, **levels)
        return self._publish(where, encode(document), topic.qos, topic.retained, on_acknowledged)

    def say_raw(self, channel: ChannelId, raw: float | None) -> bool:
        """Publish a raw, or clear it (None)."""
        topic = self._raws.get(channel)
        if topic is None:
            topic = self._raws[channel] = self.topic(topics.RAW, **channel._asdict())
        if raw is None:
            del self._raws[channel]
        payload = b"" if raw is None else number_to_text(raw).encode()
        return self._publish(topic, payload, topics.RAW.qos, topics.RAW.retained)

    def topic(self, topic: Topic, **levels: str) -> str:
        """Return a topic of this agent."""
        return topic.at(self.prefix, agent=self.name, **levels)

    def abandon(self, reason: str) -> None:
        """Drop the connection without a goodbye; the next one follows soon."""
        if self._connection:
            self._connection.abandon(reason)

    def leave(self, pause: float) -> None:
        """Leave without a trace (no last will) and come back in `pause` seconds at the earliest."""
        self._pause = pause
        if self._connection:
            self._connection.close()

    def stop(self) -> None:
        """Send what was published, say goodbye and stay away."""
        self._stopping.set()
        self._keeper.stop()

    def _publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, on_acknowledged: OnAcknowledged | None = None
    ) -> bool:
        connection = self._connection
        if connection is None:
            return False
        if self._bundle is not None:
            if qos == 0 and len(payload) <= LARGEST:
                return self._add(connection, self._bundle, topic, payload, retain)
            self._send_bundle()
        try:
            return connection.publish(topic, payload, qos, retain, on_acknowledged=on_acknowledged) is not None
        except NotConnected:
            return False
        except (PiioError, ValueError) as error:
            log.warning("%s cannot be published: %s", topic, error)
            return False

    def _add(self, connection: Connection, bundle: Bundle, topic: str, payload: bytes, retain: bool) -> bool:
        if not connection.connected:
            return False
        if bundle.count >= connection.room:
            self._dropped += 1
            return False
        bundle.add(topic, payload, retain)
        if bundle.full:
            self._send_bundle()
        return True

    def _send_bundle(self) -> None:
        """Send what was gathered; where the connection is lost by now, the next one begins with everything."""
        bundle, self._bundle = self._bundle, Bundle()
        if bundle and bundle.count and self._connection:
            with suppress(NotConnected):
                self._connection.publish_all(bundle)

    def _make(self) -> Connection:
        pause, self._pause = self._pause, 0.0
        self._stopping.wait(pause)
        number = self._number + 1
        will = Will(self.topic(topics.STATUS), OFFLINE)
        return Connection(self._address, lambda message: self._on_message(number, message), _lost, will)

    def _serve(self, connection: Connection) -> None:
        self._number += 1
        log.info("connected to %s", self._address)
        self._on_connected(self._number, connection)

    def _filters(self) -> list[tuple[str, int]]:
        own = (topics.CONFIG, topics.RAW_SET, topics.VIEWERS, topics.SIM, topics.STATUS, topics.BEACON, topics.STOP)
        every = (topics.BRIDGE_BEACON, topics.STOP_ALL)
        return [
            *((topic.every(self.prefix, agent=self.name), topic.qos) for topic in own),
            *((topic.at(self.prefix), topic.qos) for topic in every),
        ]


def _lost(reason: str) -> None:
    log.warning("%s", reason)
