"""Which ports an installation takes."""

import socket

from piio.errors import PiioError

HIGHEST = 65535

TRIES = 100


class PortError(PiioError, OSError):
    """A port that cannot be used; the message says which and what to do."""


def choose_port(
    address: str, wanted: int | None, default: int, option: str, taken: frozenset[int] = frozenset()
) -> int:
    """Return the wanted port, or the first free one from the default on; PortError when the wanted one is in use.

    A wanted port of 0 asks for any free one.
    """
    if wanted is not None:
        if wanted in taken:
            raise PortError(f"port {wanted} is given twice: choose another with {option}")
        return _bound(address, wanted, option)
    for port in range(default, min(default + TRIES, HIGHEST)):
        if port not in taken and _is_free(address, port):
            return port
    raise PortError(f"no port is free from {default} on: choose one with {option}")


def _bound(address: str, port: int, option: str) -> int:
    if not 0 <= port <= HIGHEST:
        raise PortError(f"{port} is not a port: choose 1 to {HIGHEST} with {option}")
    try:
        with _socket(address) as probe:
            probe.bind((address, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise PortError(
            f"port {port} on {address} cannot be used ({error.strerror}): stop what uses it or choose another "
            f"with {option}"
        ) from error


def _is_free(address: str, port: int) -> bool:
    try:
        with _socket(address) as probe:
            probe.bind((address, port))
    except OSError:
        return False
    return True


def check_address(address: str) -> None:
    """Raise PortError unless this machine can listen on the address."""
    try:
        with _socket(address) as probe:
            probe.bind((address, 0))
    except OSError as error:
        raise PortError(f"this machine cannot listen on '{address}' ({error.strerror}): check --listen") from error


def _socket(address: str) -> socket.socket:
    probe = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that rests from its last user is free
    return probe
