"""This machine's address, as others on its network see it."""

import socket

from piio_mosquitto.configuration import LOOPBACK

ELSEWHERE = ("192.0.2.1", 9)
"""An address for documentation (RFC 5737): asking for the way there sends nothing."""


def own_address() -> str:
    """Return the address of the interface that leads out; 127.0.0.1 on a machine without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
            address: str = probe.getsockname()[0]
        except OSError:
            return LOOPBACK
    return address
