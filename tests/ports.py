"""Ports of this machine, for the servers that tests start."""

import random
import socket
import time
from contextlib import suppress

THEIRS = range(20_000, 30_000)
"""Not where the kernel takes ports for clients from: what we find free there a client may have a moment later, and of
ten thousand clients that find no server some would find each other."""


def free_port() -> int:
    """Return a port on which nobody listens."""
    while True:
        port = random.choice(THEIRS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_open(port: int, seconds: float = 10.0) -> None:
    """Wait until somebody listens there."""
    until = time.monotonic() + seconds
    while not is_open(port):
        assert time.monotonic() < until, f"nobody listens on port {port}"
        time.sleep(0.01)
