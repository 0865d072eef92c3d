"""What is reported of inputs and interfaces."""

from collections.abc import Mapping

from msgspec import Struct

from piio_agent.channel import ChannelId
from piio_agent.interfaces.contract import Channel, Edge


class Reading(Struct, frozen=True):
    """A channel was read."""

    channel: ChannelId
    raw: float


class Trouble(Struct, frozen=True):
    """A channel cannot be opened or read."""

    channel: ChannelId
    error: str


class Released(Struct, frozen=True):
    """A channel was let go."""

    channel: ChannelId


class EdgeSeen(Struct, frozen=True):
    """A line changed."""

    channel: ChannelId
    edge: Edge


class Looked(Struct, frozen=True):
    """An interface was looked at: its channels, or why it is not usable."""

    interface: str
    channels: Mapping[str, Channel]
    error: str | None = None
    fastest: float | None = None


Report = Looked | Reading | Trouble | Released | EdgeSeen
