"""Many messages at QoS 0 in one piece, which leave by one call of the kernel's."""

from functools import lru_cache

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

from piio.wire import PUBLISH, RETAIN, length

FULL = 16_384
"""Bytes from which on a bundle is better sent: paho copies what a slow socket has not taken yet."""


class Bundle:
    """Messages in the order in which they were added, as MQTT 5 spells them.

    paho spends some 15 µs on a message: objects for an answer that QoS 0 does not have, locks, a call of the kernel's.
    Its queue takes any bytes as one packet, and a hundred messages then cost what one does. That queue is none of its
    documented ways; `tests/client/test_bundle.py` shows that it does with these bytes what it should.
    """

    def __init__(self) -> None:
        self.count = 0
        """How many messages it has."""
        self._data = bytearray()

    @property
    def full(self) -> bool:
        """Whether it should be sent before more is added."""
        return len(self._data) >= FULL

    def add(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Append a message; the topic has no wildcards."""
        name = _name(topic)
        self._data.append(PUBLISH | RETAIN if retain else PUBLISH)
        self._data += length(len(name) + len(payload))
        self._data += name
        self._data += payload
        self.count += 1

    def queue(self, client: mqtt.Client) -> bool:
        """Have a client send it; its `on_publish` hears minus `count` in the place of a message's number.

        False: the client has no connection.
        """
        if client.socket() is None:
            return False
        info = mqtt.MQTTMessageInfo(-self.count)
        return client._packet_queue(PUBLISH, self._data, -self.count, 0, info) == MQTTErrorCode.MQTT_ERR_SUCCESS


@lru_cache(maxsize=1024)
def _name(topic: str) -> bytes:
    """A topic with its length before it and no properties behind it."""
    text = topic.encode()
    return len(text).to_bytes(2, "big") + text + b"\0"
