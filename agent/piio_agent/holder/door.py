"""Where a holder is found: a socket in the agent's folder, made by the agent that starts it."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

NAME = "outputs.sock"


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[str]:
    """The socket's path, however deep the folder is: the kernel takes 107 bytes."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def knock(folder: Path) -> socket.socket | None:
    """Connect to the holder of this folder; None if there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with _short(folder) as path:
            connection.connect(path)
    except OSError:
        connection.close()
        return None
    return connection


def build(folder: Path) -> socket.socket:
    """Listen where the next agent of this folder will knock; nobody but its owner may."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        (folder / NAME).unlink(missing_ok=True)
        with _short(folder) as path:
            listener.bind(path)
        (folder / NAME).chmod(0o600)
        listener.listen(4)
    except OSError:
        listener.close()
        raise
    return listener
