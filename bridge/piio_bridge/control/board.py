"""What the control plane knows of one board."""

import json
from typing import Any

import msgspec

from piio_bridge.equations import OutputEquation, inverse_of
from piio_bridge.store.configurations import Stored
from piio_schemas.configuration import Configuration, OutputPoint, read_configuration
from piio_schemas.states import Applied, Capabilities, ChannelCapability


class BoardRecord:
    """A board: what its agent said of itself, and the configuration we want on it."""

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.capabilities: Capabilities | None = None
        self.said = b""
        """The capabilities as they were heard."""
        self.status = ""
        self.applied: Applied | None = None
        self.found: Configuration | None = None
        """The retained configuration that was at the broker when we connected."""
        self.stored: Stored | None = None
        self.configuration = Configuration()
        self._outputs: dict[str, OutputEquation] = {}

    def keep(self, stored: Stored, store: str, epoch: int) -> None:
        """Make a stored revision the desired configuration."""
        self.stored = stored
        envelope = {"store": store, "revision": stored.revision, "epoch": epoch}
        origin = {"updated": stored.updated, "by": stored.by}
        self.configuration = read_configuration({**stored.document, **envelope, **origin})
        self._outputs.clear()

    def epoch_known(self, store: str) -> int:
        """Return the highest epoch that the board knows of a database, or was told at the broker; 0 if none."""
        said = [each.epoch for each in (self.applied, self.found) if each is not None and each.store == store]
        return max(said, default=0)

    def renew(self) -> None:
        """Forget what was made of capabilities that have changed."""
        self._outputs.clear()

    @property
    def document(self) -> dict[str, Any]:
        """The points and displays that are desired, as JSON."""
        return self.stored.document if self.stored else {"points": {}, "displays": {}}

    def channel(self, point: str) -> ChannelCapability | None:
        """Return what the channel of a point can do, None if the board has not told."""
        wanted = self.configuration.points[point]
        if self.capabilities is None or wanted.interface is None or wanted.channel is None:
            return None
        interface = self.capabilities.interfaces.get(wanted.interface)
        return interface.channel(wanted.channel) if interface else None

    def output(self, name: str, point: OutputPoint) -> OutputEquation:
        """Return the equation of an output with its inverse."""
        if name not in self._outputs:
            low, high, digital = range_of(self.channel(name))
            self._outputs[name] = inverse_of(point.equation, point.inverse, low, high, digital=digital)
        return self._outputs[name]


def range_of(channel: ChannelCapability | None) -> tuple[float, float, bool]:
    """Return the least and the greatest raw of a channel, and whether it has just these two."""
    if channel is None or channel.kind == "digital":
        return 0.0, 1.0, True
    return channel.low if channel.low is not None else 0.0, channel.high if channel.high is not None else 1.0, False


def plain(configuration: Configuration) -> dict[str, Any]:
    """Return points and displays of a configuration as JSON, defaults written out."""
    document: dict[str, Any] = json.loads(msgspec.json.encode(configuration))
    return {"points": document["points"], "displays": document["displays"]}
