"""Who measures: one MQTT connection without a thread, so that hearing costs what is measured as little as can be."""

import select
import socket
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from piio.address import Address
from piio_schemas.beacons import BridgeBeacon, Echo
from piio_schemas.documents import decode
from piio_schemas.topics import BRIDGE_BEACON

PATIENCE = 10.0


class Heard(NamedTuple):
    """A message and when it came (monotonic)."""

    at: float
    topic: str
    payload: bytes


class Eye:
    """Publishes and hears below the given filters, all on the thread that calls."""

    def __init__(self, address: Address, *filters: str) -> None:
        self._heard: list[Heard] = []
        self._beacon: BridgeBeacon | None = None
        # MQTT 3.1.1, without a loop of paho's: it writes on the thread that publishes then.
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        client.username_pw_set(address.user, address.password)
        client.on_message = self._hear
        client.on_connect = lambda *_: client.subscribe([(filter, 0) for filter in (*filters, BRIDGE_BEACON.at())])
        client.connect(address.host, address.port, 60)
        sock: Any = client.socket()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()

    def publish(self, topic: str, payload: bytes) -> float:
        """Publish at QoS 0 and return when that was begun."""
        at = time.monotonic()
        self._client.publish(topic, payload)
        return at

    def wait(self, topic: str, wanted: Callable[[bytes], bool] = bool, within: float = PATIENCE) -> Heard:
        """Return the first message on a topic that is as wanted, heard since `pause`."""
        end, seen = time.monotonic() + within, 0
        while True:
            for heard in self._heard[seen:]:
                if heard.topic == topic and wanted(heard.payload):
                    return heard
            seen = len(self._heard)
            assert time.monotonic() < end, f"not heard on {topic}; heard there was {self._heard}"
            self._step(end - time.monotonic())

    def pause(self, seconds: float) -> None:
        """Let some time pass, hear what comes, and forget it."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._step(left)
        self._heard.clear()

    def echo(self) -> Echo:
        """The newest beacon of the bridge, as a set echoes it."""
        while self._beacon is None:
            self._step(1.0)
        return self._beacon.echo

    def _step(self, seconds: float) -> None:
        if select.select([self._client.socket()], [], [], seconds)[0]:
            self._client.loop_read()
        self._client.loop_write()  # what callbacks published waits until they are over
        self._client.loop_misc()

    def _hear(self, _: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        at = time.monotonic()
        if message.topic == BRIDGE_BEACON.at():
            self._beacon = decode(bytes(message.payload), BridgeBeacon)
        else:
            self._heard.append(Heard(at, message.topic, bytes(message.payload)))
