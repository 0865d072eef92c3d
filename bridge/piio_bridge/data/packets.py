"""MQTT 3.1.1's PUBLISH packets at QoS 0, many at a time: bytes in, bytes out, with no I/O in between.

The frames are those of the standard's section 3.3.
"""

import struct
from collections.abc import Iterable

from piio.wire import PUBLISH, RETAIN, NotMqtt, bounds, length

Message = tuple[bytes, bytes, int]
"""Topic, payload, and 1 if the broker had kept it, else 0."""

Outgoing = tuple[bytes, bytes]
"""Topic and payload of what is to be published."""

_HEAD = struct.Struct(">BBH")
"""Kind, a remaining length below 128, length of the topic."""


def cut(wire: bytes) -> tuple[list[Message], bytes, bytes]:
    """Return the QoS 0 messages in a stretch of the wire, all other packets as they came, and the unfinished rest."""
    messages: list[Message] = []
    others: list[bytes] = []
    at, end = 0, len(wire)
    while at + 2 <= end:
        kind, begin = wire[at], at + 2
        after = begin + wire[at + 1]
        if wire[at + 1] > 127:
            found = bounds(wire, at)
            if found is None:
                break
            begin, after = found
        if after > end:
            break
        if kind & 0xF6 == PUBLISH:
            payload = begin + 2 + (wire[begin] << 8 | wire[begin + 1]) if after - begin >= 2 else after + 1
            if payload > after:
                raise NotMqtt("a topic is longer than its packet")
            messages.append((wire[begin + 2 : payload], wire[payload:after], kind & RETAIN))
        else:
            others.append(wire[at:after])
        at = after
    return messages, b"".join(others), wire[at:]


def publish(messages: Iterable[Outgoing], retained: bool) -> bytes:
    """Return the packets that say all of these topics and payloads at QoS 0."""
    kind = PUBLISH | RETAIN if retained else PUBLISH
    parts: list[bytes] = []
    for topic, payload in messages:
        size = 2 + len(topic) + len(payload)
        head = _HEAD.pack(kind, size, len(topic)) if size < 128 else _long_head(kind, size, len(topic))
        parts += (head, topic, payload)
    return b"".join(parts)


def _long_head(kind: int, size: int, topic: int) -> bytes:
    return bytes([kind]) + length(size) + topic.to_bytes(2, "big")
