"""MQTT 3.1.1's PUBLISH packets at QoS 0, many at a time: bytes in, bytes out, with no I/O in between.

The frames are those of the standard's sections 2.2 (fixed header, remaining length) and 3.3 (PUBLISH).
"""

import struct
from collections.abc import Iterable

Message = tuple[bytes, bytes, int]
"""Topic, payload, and 1 if the broker had kept it, else 0."""

Outgoing = tuple[bytes, bytes]
"""Topic and payload of what is to be published."""

PUBLISH = 0x30
"""A PUBLISH at QoS 0; with `RETAIN` added the broker keeps it, or had."""

RETAIN = 0x01

LONGEST = 1 << 20
"""Bytes of the longest packet that is waited for: PiIO's messages have at most 64 kB."""

_HEAD = struct.Struct(">BBH")
"""Kind, a remaining length below 128, length of the topic."""


class NotMqtt(ValueError):
    """What came is no MQTT: where the next packet begins nobody knows."""


def cut(wire: bytes) -> tuple[list[Message], bytes, bytes]:
    """Return the QoS 0 messages in a stretch of the wire, all other packets as they came, and the unfinished rest."""
    messages: list[Message] = []
    others: list[bytes] = []
    at, end = 0, len(wire)
    while at + 2 <= end:
        kind, size = wire[at], wire[at + 1]
        begin = at + 2
        if size > 127:
            size, begin = _long_size(wire, at)
            if not begin:
                break
        after = begin + size
        if after > end:
            break
        if kind & 0xF6 == PUBLISH:
            payload = begin + 2 + (wire[begin] << 8 | wire[begin + 1]) if size >= 2 else after + 1
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


def _long_size(wire: bytes, at: int) -> tuple[int, int]:
    """Read a remaining length of several bytes, and where what it counts begins: 0 if it is not all there yet."""
    size = 0
    for number, byte in enumerate(wire[at + 1 : at + 5]):
        size |= (byte & 127) << 7 * number
        if byte < 128:
            if size > LONGEST:
                raise NotMqtt(f"a packet of {size} bytes")
            return size, at + 2 + number
    if len(wire) >= at + 5:
        raise NotMqtt("a length without an end")
    return 0, 0


def _long_head(kind: int, size: int, topic: int) -> bytes:
    head = bytearray([kind])
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + topic.to_bytes(2, "big")
