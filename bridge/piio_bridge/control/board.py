"""What the control plane knows of one board."""

import json
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from piio_bridge.equations import OutputEquation, inverse_of
from piio_bridge.store.configurations import Stored
from piio_schemas.configuration import Configuration, OutputPoint, read_configuration
from piio_schemas.documents import DocumentError, read_json
from piio_schemas.states import Applied, Capabilities, ChannelCapability


class Envelope(Struct, frozen=True):
    """Whose a published configuration is; DocumentError from `read` where a payload is none."""

    store: str = ""
    revision: int = 0
    epoch: int = 0

    @staticmethod
    def read(payload: bytes) -> "Envelope":
        """Read the little of a configuration that a bridge which starts has to know of each."""
        try:
            return _ENVELOPE.decode(payload)
        except msgspec.MsgspecError as error:
            raise DocumentError(str(error)) from error


_ENVELOPE = msgspec.json.Decoder(Envelope)


class Found(Struct, frozen=True):
    """A retained configuration that was at the broker when we connected; it is read as a whole when it is adopted."""

    envelope: Envelope
    payload: bytes

    def configuration(self) -> Configuration:
        """Read it; DocumentError or ConfigurationError where it is none."""
        return read_configuration(read_json(self.payload))


class BoardRecord:
    """A board: what its agent said of itself, and the configuration we want on it."""

    __slots__ = ("_outputs", "agent", "applied", "capabilities", "configuration", "found", "said", "status", "stored")

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.capabilities: Capabilities | None = None
        self.said = b""
        """A digest of the capabilities as they were heard."""
        self.status = ""
        self.applied: Applied | None = None
        self.found: Found | None = None
        self.stored: Stored | None = None
        self.configuration = _NONE
        self._outputs: dict[str, OutputEquation] = {}

    def keep(self, stored: Stored, store: str, epoch: int) -> None:
        """Make a stored revision the desired configuration."""
        text, read = _read(stored.text)
        self.stored = replace(stored, text=text)
        self.configuration = replace(
            read, store=store, revision=stored.revision, epoch=epoch, updated=stored.updated, by=stored.by
        )
        self._outputs.clear()

    def epoch_known(self, store: str) -> int:
        """Return the highest epoch that the board knows of a database, or was told at the broker; 0 if none."""
        found = self.found.envelope if self.found else None
        said = [each.epoch for each in (self.applied, found) if each is not None and each.store == store]
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


_NONE = Configuration()


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[str, Configuration]:
    """Read a stored document; boards with the same share it, and its text."""
    return text, read_configuration(json.loads(text))


def range_of(channel: ChannelCapability | None) -> tuple[float, float, bool]:
    """Return the least and the greatest raw of a channel, and whether it has just these two."""
    if channel is None or channel.kind == "digital":
        return 0.0, 1.0, True
    return channel.low if channel.low is not None else 0.0, channel.high if channel.high is not None else 1.0, False


def plain(configuration: Configuration) -> dict[str, Any]:
    """Return points and displays of a configuration as JSON, defaults written out."""
    document: dict[str, Any] = json.loads(msgspec.json.encode(configuration))
    return {"points": document["points"], "displays": document["displays"]}
