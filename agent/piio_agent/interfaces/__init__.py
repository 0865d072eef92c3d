"""Interfaces: the contract every driver keeps, and the drivers that come with PiIO, one file each."""

from piio_agent.interfaces.contract import (
    Channel,
    Context,
    Direction,
    Edge,
    Interface,
    Kind,
    NoOptions,
    NoSettings,
    OnEdge,
)
from piio_agent.interfaces.errors import InterfaceError

__all__ = [
    "Channel",
    "Context",
    "Direction",
    "Edge",
    "Interface",
    "InterfaceError",
    "Kind",
    "NoOptions",
    "NoSettings",
    "OnEdge",
]
