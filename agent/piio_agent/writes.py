"""Which writes may act: only those that are fresh, ours, for what is in force, and new."""

from msgspec import Struct

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.interfaces.contract import Channel
from piio_agent.wanted import WantedOutput
from piio_schemas.commands import Write, WriteResult
from piio_schemas.configuration import Configuration
from piio_schemas.documents import DocumentError, decode, read_json

MEMORY = 60.0
"""Seconds for which the id of a write is remembered."""

ROUNDING = 0.001
"""Seconds that a tick may lose on its way through somebody's JSON."""

MOST_REMEMBERED = 10_000


class Situation(Struct, frozen=True):
    """What a write is measured against."""

    boot: str
    connection: int
    configuration: Configuration
    output: WantedOutput | None
    """What the channel has to be, if it is an output in use."""
    channel: Channel | None
    """What the channel can take, where that is known."""


def refusal(write: Write, retained: bool, situation: Situation, now: float) -> WriteResult | None:
    """Return why a write must not act, `now` being our CLOCK_BOOTTIME; None if it may."""
    for why in (_stranger(write, retained, situation), _unfit(write, situation)):
        if why:
            return WriteResult(id=write.id, status="refused", reason=why)
    age = now - write.beacon.tick
    if age < -ROUNDING:
        return WriteResult(id=write.id, status="refused", reason="it echoes a beacon that was not sent yet")
    if age > write.ttl:
        return WriteResult(id=write.id, status="expired", reason=f"it is {age:.1f} s old; {write.ttl:g} s are allowed")
    return None


def _stranger(write: Write, retained: bool, situation: Situation) -> str | None:
    """Why it is not for this agent as it is now."""
    configuration = situation.configuration
    if retained:
        return "it was retained at the broker: a write must never be"
    if write.beacon.boot != situation.boot:
        return "it was meant for the agent before it was restarted"
    if write.beacon.connection != situation.connection:
        return "it was meant for another connection of the agent"
    if situation.output is None or situation.output.point != write.point:
        return f"'{write.point[:63]}' is not an output on this channel"
    if write.revision != configuration.revision:
        return f"it was made for revision {write.revision}; revision {configuration.revision} is in force"
    if write.epoch != configuration.epoch:
        return f"it comes from epoch {write.epoch} of the bridge; epoch {configuration.epoch} is in force"
    return None


def _unfit(write: Write, situation: Situation) -> str | None:
    """Why the channel cannot do it."""
    channel = situation.channel
    if channel is None:
        return None
    if channel.kind == "digital" and write.value not in (0, 1):
        return f"{channel.label} cannot take {write.value:g}: it takes 0 or 1"
    low = channel.low if channel.low is not None else write.value
    high = channel.high if channel.high is not None else write.value
    if channel.kind == "analog" and not low <= write.value <= high:
        return f"{channel.label} cannot take {write.value:g}: it takes {low:g} to {high:g}"
    return None


def read_write(payload: bytes) -> Write | WriteResult | str:
    """Read a write; what is not one is refused by its id where it has one, else described."""
    try:
        return decode(payload, Write)
    except DocumentError as error:
        id = _id_of(payload)
        return WriteResult(id=id, status="refused", reason=str(error)) if id else str(error)


def _id_of(payload: bytes) -> str | None:
    try:
        document = read_json(payload)
    except DocumentError:
        return None
    id = document.get("id") if isinstance(document, dict) else None
    return id if isinstance(id, str) and 0 < len(id) <= 64 else None


class Results:
    """The results of the last minute, by id: what comes twice acts once, and is answered alike."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[ChannelId, str], tuple[float, WriteResult | None]] = {}

    def begin(self, channel: ChannelId, id: str) -> bool:
        """Remember that a write was seen; False if it was before."""
        self._forget_old()
        if (channel, id) in self._known:
            return False
        self._known[channel, id] = (self._clock.boottime(), None)
        return True

    def finish(self, channel: ChannelId, result: WriteResult) -> None:
        """Remember what became of a write."""
        seen, _ = self._known.get((channel, result.id), (self._clock.boottime(), None))
        self._known[channel, result.id] = (seen, result)

    def of(self, channel: ChannelId, id: str) -> WriteResult | None:
        """Return what became of a write; None if that is not known yet."""
        return self._known.get((channel, id), (0.0, None))[1]

    def _forget_old(self) -> None:
        oldest = self._clock.boottime() - MEMORY
        while self._known:
            key = next(iter(self._known))
            if self._known[key][0] >= oldest and len(self._known) < MOST_REMEMBERED:
                return
            del self._known[key]
