"""Stops as they arrive: they go ahead of everything that waits, whatever the agent's loop is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piio.connection import Message
from piio_agent.clock import Clock
from piio_agent.outputs.messages import StopAll
from piio_schemas import topics
from piio_schemas.stopping import SOMEBODY, read_stop

if TYPE_CHECKING:
    from piio_agent.agent import Agent

AGAIN = 0.1
"""Seconds between two tries to hand a stop to outputs whose process takes nothing."""


class Stops:
    """Hands stops to the outputs, on the thread that brings them.

    A write that echoes a beacon from before the stop may have been asked before it, and is refused: so the agent
    beacons at once, and who sets something from then on is obeyed.
    """

    def __init__(self, agent: Agent, clock: Clock) -> None:
        self._agent = agent
        self._clock = clock
        prefix = agent.identity.prefix
        self._topics = (topics.STOP.at(prefix, agent=agent.identity.name), topics.STOP_ALL.at(prefix))
        self._untaken: StopAll | None = None

    def hear(self, message: Message) -> bool:
        """Obey a message if it is a stop, on any thread and any connection; False if it is something else."""
        if message.topic not in self._topics:
            return False
        stop = read_stop(message.payload)
        if stop and message.retained:
            text = f"{message.topic} was retained: a stop must not come back by itself"
            self._agent.loop.post(lambda: self._agent.complaints.note("stop", text))
        elif stop:
            at = None if stop.passed_on else round(self._clock.boottime(), 6)
            self._agent.loop.post_newest("beacon", self._agent.presence.beat)
            self._hand_over(StopAll(stop.by or SOMEBODY, at=at))
        return True

    def outputs_up(self) -> None:
        """Whoever holds the outputs may be there again: a stop that nobody took is for it."""
        if self._untaken:
            self._hand_over(self._untaken)

    def _hand_over(self, stop: StopAll) -> None:
        if self._agent.outputs.send(stop):
            self._untaken = None
            return
        self._untaken = stop
        self._agent.loop.post_newest("stop", self._try_later)

    def _try_later(self) -> None:
        self._agent.loop.after(AGAIN, self.outputs_up)
