"""See and drive the pins of many boards over one MQTT broker: the client and the `piio` command.

import piio

with piio.connect("mqtt://anna:secret@localhost:1883") as client:
    print(client.read("demo/tank").value)
    print(client.set("demo/pump", 1, pulse=2).status)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from piio.client import Client, connect
    from piio.reading import Board, Bucket, Reading

_HOME = {
    "Board": "piio.reading",
    "Bucket": "piio.reading",
    "Client": "piio.client",
    "Reading": "piio.reading",
    "connect": "piio.client",
}

__all__ = ["Board", "Bucket", "Client", "Reading", "connect"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that `piio` alone costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'piio' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
