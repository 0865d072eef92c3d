"""How MQTT puts packets on the wire: what our own ways around paho's slow ones have in common.

The fixed header is that of section 2 of MQTT 3.1.1 and of MQTT 5 alike.
"""

PUBLISH = 0x30
"""A PUBLISH at QoS 0; with `RETAIN` added the broker keeps it, or had."""

RETAIN = 0x01

LONGEST = 1 << 20
"""Bytes of the longest packet that is waited for: PiIO's messages have at most 64 kB."""


class NotMqtt(ValueError):
    """What came is no MQTT: where the next packet begins nobody knows."""


def bounds(wire: bytes, at: int) -> tuple[int, int] | None:
    """Return where what follows the length of the packet at `at` begins and ends; None while that is not all there.

    Seven bits a byte, least first, at most four bytes.
    """
    size = 0
    for number, byte in enumerate(wire[at + 1 : at + 5]):
        size |= (byte & 127) << 7 * number
        if byte < 128:
            if size > LONGEST:
                raise NotMqtt(f"a packet of {size} bytes")
            begin = at + 2 + number
            return begin, begin + size
    if len(wire) >= at + 5:
        raise NotMqtt("a length without an end")
    return None


def length(size: int) -> bytes:
    """Return the length of what follows as it stands before that."""
    written = bytearray()
    while size > 127:
        written.append(size & 127 | 128)
        size >>= 7
    written.append(size)
    return bytes(written)
