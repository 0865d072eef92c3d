"""The few packets of MQTT 5 that a played agent needs, as bytes: ten thousand clients of a library are too dear."""

import struct
from collections.abc import Iterable, Iterator

from piio.wire import bounds, length

CONNACK, PUBLISH, PUBACK = 2, 3, 4

PING = b"\xc0\x00"


def text(string: str) -> bytes:
    """Return a string as it stands in a packet."""
    data = string.encode()
    return struct.pack("!H", len(data)) + data


def packet(head: int, body: bytes) -> bytes:
    """Return a packet with its length."""
    return bytes([head]) + length(len(body)) + body


def connect(client: str, user: str, password: str, keepalive: int, will: tuple[str, bytes] | None = None) -> bytes:
    """Return a CONNECT with clean start; a will is retained and of QoS 1."""
    flags = 0xC2 | (0x2C if will else 0)
    body = text("MQTT") + bytes([5, flags]) + struct.pack("!H", keepalive) + b"\0" + text(client)
    if will:
        body += b"\0" + text(will[0]) + struct.pack("!H", len(will[1])) + will[1]
    return packet(0x10, body + text(user) + text(password))


def subscribe(filters: Iterable[tuple[str, int]]) -> bytes:
    """Return a SUBSCRIBE; what is being retained arrives marked as such."""
    return packet(0x82, b"\0\x01\0" + b"".join(text(filter) + bytes([qos | 8]) for filter, qos in filters))


def publish(topic: str, payload: bytes, *, retain: bool = False, number: int = 0) -> bytes:
    """Return a PUBLISH, of QoS 1 if it has a number."""
    name = struct.pack("!H", number) if number else b""
    return packet(0x30 | (2 if number else 0) | (1 if retain else 0), text(topic) + name + b"\0" + payload)


def acknowledge(number: bytes) -> bytes:
    """Return the PUBACK of a packet identifier."""
    return b"\x40\x02" + number


def split(buffer: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole packets at the beginning, without their lengths (first byte, then the body), and the rest."""
    packets, at, end = [], 0, len(buffer)
    while at + 2 <= end:
        found = bounds(buffer, at)
        if found is None or found[1] > end:
            break
        body, after = found
        packets.append(buffer[at : at + 1] + buffer[body:after])
        at = after
    return packets, buffer[at:]


def published(packet: bytes) -> tuple[str, bytes, bytes]:
    """Return topic, payload and packet identifier (empty at QoS 0) of a PUBLISH as `split` returns it."""
    name = 3 + int.from_bytes(packet[1:3], "big")
    after = name + (2 if packet[0] & 6 else 0)
    return packet[3:name].decode(), packet[after + 1 + packet[after] :], packet[name:after]


def publishes(packets: Iterable[bytes]) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield what was published."""
    return (published(each) for each in packets if each[0] >> 4 == PUBLISH)
