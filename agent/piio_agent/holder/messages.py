"""What the agent and its holder say to each other besides the messages of the outputs themselves."""

from typing import Any, Literal

from msgspec import Struct

from piio_agent.channel import ChannelId
from piio_agent.hardware import InterfaceSettings
from piio_agent.interfaces.contract import Edge
from piio_agent.outputs import messages as outputs

Method = Literal["channels", "open", "read", "read_ahead", "sample", "fastest", "watch", "close", "simulate"]


class Hello(Struct, frozen=True, tag=True):
    """The first word of an agent: whose holder it wants, made of what."""

    software: str
    interfaces: dict[str, InterfaceSettings]
    folders: list[str]
    """Where more drivers are looked for."""
    files: str
    """A digest of the files there."""
    folder: str | None
    """Where the agent keeps its files."""


class Welcome(Struct, frozen=True, tag=True):
    """The holder's answer; if it does not fit, it was made for another hello and has to be stopped."""

    pid: int
    fits: bool
    held: list[ChannelId] = []
    """The outputs it holds already: an agent before this one had them opened."""


class Ping(Struct, frozen=True, tag=True):
    """Are you there? The agent's loop itself answers, for it is the one that may hang."""


class Pong(Struct, frozen=True, tag=True):
    """The agent's loop is there."""


class Leaving(Struct, frozen=True, tag=True):
    """The agent is about to be started anew: outputs stay as they are for what is left of their leases."""


class Call(Struct, frozen=True, tag=True):
    """Call a method of an interface that only the holder may touch."""

    id: int
    interface: str
    method: Method
    arguments: list[Any] = []


class Return(Struct, frozen=True, tag=True):
    """What a call gave, or why it failed."""

    id: int
    value: Any = None
    error: str | None = None
    kind: Literal["failed", "unsupported", "nothing"] = "failed"
    """What an error is: a failure, something that cannot be done at all, or nothing to read yet."""


class EdgesSeen(Struct, frozen=True, tag=True):
    """Edges of watched channels, in the order in which they were seen."""

    edges: list[tuple[ChannelId, Edge]]


class Said(Struct, frozen=True, tag=True):
    """A line for the agent's log."""

    level: int
    """As in `logging`."""
    text: str


ToHolder = Hello | Pong | Leaving | Call | outputs.Message
ToAgent = Welcome | Ping | Return | EdgesSeen | Said | outputs.Report
