"""Sorts what arrives on the data plane: raws, blocks, late readings, signs of life of agents and of ourselves."""

from collections.abc import Iterable

from piio_bridge.clock import Clock
from piio_bridge.data.blocks import Blocks
from piio_bridge.data.late import LateReadings
from piio_bridge.data.packets import Message, Outgoing
from piio_bridge.data.readings import Readings
from piio_bridge.hearing import Hearing
from piio_schemas.beacons import Beacon
from piio_schemas.documents import DocumentError, decode
from piio_schemas.topics import BEACON, BLOCK_RAW, BRIDGE_BEACON, RAW, match

MOST_TOPICS = 50_000
"""Topics whose meaning is remembered; those of raws that were heard before are not among them."""


class Sorting:
    """Hands each message to whom it is for. Owned by the thread that owns the readings."""

    def __init__(self, readings: Readings, prefix: str, clock: Clock, hearing: Hearing) -> None:
        self._hearing = hearing
        self._readings = readings
        self._prefix = prefix
        self._clock = clock
        self._blocks = Blocks(readings)
        self._late = LateReadings(readings, readings.record, prefix)
        self._waiting_blocks: list[tuple[bytes, bytes]] = []
        self._topics: dict[bytes, tuple[str, str]] = {}

    def take(self, messages: Iterable[Message]) -> list[Outgoing]:
        """Take messages in their order and return what they make of the values; blocks wait."""
        known = self._readings.channels
        raws: list[tuple[bytes, bytes]] = []
        out: list[Outgoing] = []
        for topic, payload, kept in messages:
            if topic in known:
                raws.append((topic, payload))
                continue
            row, agent = self._kind(topic)
            if row == RAW.pattern:
                raws.append((topic, payload))
            elif row == BLOCK_RAW.pattern:
                self._waiting_blocks.append((topic, payload))
            elif kept:
                continue  # a sign of life that was kept is none
            elif row == BEACON.pattern:
                out += self._hear(agent, payload)
            elif row == BRIDGE_BEACON.pattern:
                self._hearing.beacon_back(self._clock.boottime())
        # Told in the order in which it was judged: a quality from before the raws must not come after theirs.
        return out + self._readings.take(raws)

    def take_blocks(self) -> list[Outgoing]:
        """Take the blocks that came, after the raws: their equations may need the values of those."""
        if not self._waiting_blocks:
            return []
        batch, self._waiting_blocks = self._waiting_blocks, []
        return self._blocks.take(batch)

    def take_late(self, topic: str, payload: bytes) -> None:
        """Take readings of a time when there was no broker."""
        self._late.take(topic, payload)

    def _kind(self, topic: bytes) -> tuple[str, str]:
        """Return the row of the table and the agent of a topic."""
        found = self._topics.get(topic)
        if found is None:
            matched = match(topic.decode("utf-8", "replace"), self._prefix)
            found = (matched.topic.pattern, matched.levels.get("agent", "")) if matched else ("", "")
            if len(self._topics) >= MOST_TOPICS:
                self._topics.clear()
            if found[0] != RAW.pattern:
                self._topics[topic] = found
        return found

    def _hear(self, agent: str, payload: bytes) -> list[Outgoing]:
        try:
            return self._readings.hear_beacon(agent, decode(payload, Beacon))
        except DocumentError:
            self._readings.malformed += 1
            return []
