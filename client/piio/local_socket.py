"""The socket file by which programs on the broker's own machine reach it: less work for both than the network's way."""

from pathlib import Path

from msgspec.structs import replace

from piio.address import PORTS, Address

LONGEST = 107
"""Bytes of a path that the kernel takes for a socket (unix(7))."""


def local_socket(state: Path) -> Path | None:
    """Return where the broker of a state folder listens besides its ports; None if it cannot have that path.

    Mosquitto takes what stands before a space for all of it.
    """
    path = state.absolute() / "broker" / "socket"
    fits = len(bytes(path)) <= LONGEST and not any(letter.isspace() for letter in str(path))
    return path if fits else None


def nearest(address: Address, state: Path) -> Address:
    """Return how a program on the broker's machine reaches it: by the socket of its state folder, else as said."""
    path = local_socket(state)
    return address if path is None else replace(address, host=str(path), port=PORTS["mqtt"], tls=False, unix=True)
