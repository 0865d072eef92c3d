"""What an agent says of itself, as long as nobody else may be there under its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from piio_agent import health
from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.software import software
from piio_agent.uplink import OFFLINE
from piio_schemas import topics
from piio_schemas.blocks import Block
from piio_schemas.commands import WriteResult
from piio_schemas.events import EdgeEvent
from piio_schemas.states import Board, Capabilities, Health
from piio_schemas.topics import Topic

if TYPE_CHECKING:
    from piio_agent.agent import Agent


class Voice:
    """Says on the present connection what the agent is, has in force, and has seen.

    Raws are not among it, `Readings` knows which of them are said; nor that it is there, which is its `Presence`.
    """

    def __init__(self, agent: Agent, clock: Clock) -> None:
        self.board = Board()
        """What we run on, and our address on the way to the broker."""
        self._agent = agent
        self._clock = clock
        self._born = clock.boottime()

    def announce(self) -> None:
        """Say everything there is to know on the present connection."""
        self.capabilities()
        self.applied()
        self._agent.readings.announce()

    def appeared(self) -> None:
        """We are known to be there: what came for us meanwhile is for us."""
        self._agent.inbox.open_held()
        self.health()

    def withdraw(self) -> None:
        """Say nothing any more on the present connection."""
        self._agent.readings.announced = False

    def capabilities(self) -> None:
        """Say what hardware there is."""
        agent = self._agent
        interfaces = agent.hardware.capabilities()
        self._say(
            topics.CAPABILITIES, Capabilities(agent.identity.name, agent.boot, software(), self.board, interfaces)
        )

    def applied(self) -> None:
        """Say which configuration is in force, and how its points fare."""
        self._say(topics.APPLIED, self._agent.applied.document())

    def health(self) -> None:
        """Say how the board and the agent fare."""
        agent = self._agent
        report = Health(
            uptime=round(self._clock.boottime() - self._born, 1),
            temperature=health.temperature(),
            throttled=health.throttled(),
            load=health.load(),
            memory=health.memory(),
            lateness=round(agent.loop.take_lateness(), 4),
            queued=agent.loop.queued + len(agent.reports),
            dropped=agent.loop.dropped + agent.reports.dropped + agent.uplink.dropped,
            refused=agent.complaints.count,
            kept=len(agent.backlog),
            kept_dropped=agent.backlog.dropped,
            clock_offset=agent.inbox.clock_offset,
        )
        self._say(topics.HEALTH, report)

    def result(self, id: ChannelId, result: WriteResult) -> None:
        """Say what became of a write."""
        self._say(topics.RAW_RESULT, result, **id._asdict())

    def edge(self, id: ChannelId, event: EdgeEvent) -> bool:
        """Say that a line has changed; False: it went nowhere."""
        return self._say(topics.EDGE, event, **id._asdict())

    def block(self, id: ChannelId, block: Block) -> bool:
        """Say what a channel was for a while; False: it went nowhere."""
        return self._say(topics.BLOCK_RAW, block.to_bytes(), **id._asdict())

    def goodbye(self) -> None:
        """Say that we are not there any more."""
        self._say(topics.STATUS, OFFLINE)

    def _say(self, topic: Topic, document: bytes | Struct, **levels: str) -> bool:
        return self._agent.presence.announcing and self._agent.uplink.say(topic, document, **levels)
