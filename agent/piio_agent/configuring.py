"""From the configuration in force to the one that is wanted, by the difference alone."""

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

from piio_agent.applied import AppliedState
from piio_agent.channel import ChannelId
from piio_agent.hardware import Hardware
from piio_agent.loop import Loop, Timer
from piio_agent.outputs.messages import Change, Close, Message, Open
from piio_agent.readings import Readings
from piio_agent.refusals import refusals
from piio_agent.sampler import Sampler
from piio_agent.wanted import Wanted, WantedInput, WantedOutput, wanted
from piio_schemas.configuration import Configuration

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that released channels may take before others are opened all the same."""


class Orders(Protocol):
    """Whoever takes messages to the outputs, in this process or in another one."""

    def send(self, message: Message) -> bool:
        """Hand a message over; False if it was not taken."""
        ...


class Configuring:
    """Asks samplers and outputs for what the configuration wants.

    What is released is closed first, and only then the rest is opened: a line may change from input to output.
    """

    def __init__(
        self,
        hardware: Hardware,
        samplers: Mapping[str, Sampler],
        outputs: Orders,
        applied: AppliedState,
        readings: Readings,
        loop: Loop,
    ) -> None:
        self.configuration = Configuration()
        self._hardware = hardware
        self._samplers = samplers
        self._outputs = outputs
        self._applied = applied
        self._readings = readings
        self._loop = loop
        self._refused: dict[str, str] = {}
        self._wanted: dict[ChannelId, Wanted] = {}
        self._asked: dict[ChannelId, Wanted] = {}
        self._closing: set[ChannelId] = set()
        self._closing_outputs: set[ChannelId] = set()
        self._left: set[ChannelId] = set()
        """Outputs that are held for an agent before this one; those that nobody wants any more are let go."""
        self._accepted = False
        self._timer: Timer | None = None
        self._impatient = False

    def accept(self, configuration: Configuration) -> None:
        """Bring a configuration into force."""
        self.configuration = configuration
        self._refused = self._refusals()
        self._wanted = wanted(configuration, self._refused)
        self._accepted = True
        self._let_go_of_left()
        self._advance()
        self._applied.accept(configuration, self._refused)

    def review(self) -> None:
        """The board can do something else than before: what it could not may be possible now, or the other way."""
        if self._refusals() != self._refused:
            self.accept(self.configuration)

    def outputs_up(self, held: Iterable[ChannelId]) -> None:
        """Whoever holds the outputs is there, with these already: each is asked for, which touches none of those."""
        self._left = set(held)
        if self._accepted:
            self._let_go_of_left()
        for id, now in self._asked.items():
            if isinstance(now, WantedOutput):
                self._take(id, now)

    def outputs_down(self, reason: str) -> None:
        """Nobody holds the outputs, until `outputs_up`."""
        for id, now in self._asked.items():
            if isinstance(now, WantedOutput) and self._hardware.missing(id.interface) is None:
                self._applied.note(id, reason)
                self._readings.fail(id)
        for id in [id for id in self._closing if id in self._closing_outputs]:
            self.released(id)

    def released(self, id: ChannelId) -> None:
        """A channel was let go."""
        self._closing.discard(id)
        self._closing_outputs.discard(id)
        if not self._closing:
            self._impatient = False
            if self._timer:
                self._timer.cancel()
                self._timer = None
        self._advance()

    def input(self, id: ChannelId) -> WantedInput | None:
        """What an input in use has to be."""
        found = self._asked.get(id)
        return found if isinstance(found, WantedInput) else None

    def output(self, id: ChannelId) -> WantedOutput | None:
        """What an output in use has to be."""
        found = self._asked.get(id)
        return found if isinstance(found, WantedOutput) else None

    def in_force(self, id: ChannelId) -> bool:
        """Whether a channel has been asked for the very settings that are wanted, none being let go before."""
        asked, new = self._asked.get(id), self._wanted.get(id)
        return asked is not None and new is not None and asked.settings == new.settings

    @property
    def has_outputs(self) -> bool:
        """Whether any point is an output."""
        return any(isinstance(each, WantedOutput) for each in self._wanted.values())

    def _refusals(self) -> dict[str, str]:
        return refusals(self.configuration.points, self._hardware.capabilities())

    def _advance(self) -> None:
        self._release_unwanted()
        for id, now in list(self._asked.items()):
            new = self._wanted[id]
            if new.settings == now.settings and new != now:
                self._change(id, new)
        if self._closing and not self._impatient:
            self._timer = self._timer or self._loop.after(PATIENCE, self._lose_patience)
            for id in self._wanted.keys() - self._asked.keys():
                self._applied.opening(id)
            return
        for id, new in self._wanted.items():
            before = self._asked.get(id)
            if id not in self._closing and (before is None or before.settings != new.settings):
                self._take(id, new)

    def _release_unwanted(self) -> None:
        for id, now in list(self._asked.items()):
            if type(self._wanted.get(id)) is not type(now):
                del self._asked[id]
                self._release(id, now)

    def _release(self, id: ChannelId, now: Wanted) -> None:
        self._applied.forget(id)
        self._readings.forget(id)
        if id.interface not in self._samplers:
            return
        self._closing.add(id)
        if isinstance(now, WantedOutput):
            self._closing_outputs.add(id)
            self._outputs.send(Close(id))
        else:
            self._samplers[id.interface].close(id.channel)

    def _let_go_of_left(self) -> None:
        for id in self._left:
            if not isinstance(self._wanted.get(id), WantedOutput):
                self._closing.add(id)
                self._closing_outputs.add(id)
                self._outputs.send(Close(id))
        self._left = set()

    def _change(self, id: ChannelId, new: Wanted) -> None:
        self._asked[id] = new
        if id.interface not in self._samplers:
            return
        if isinstance(new, WantedOutput):
            self._outputs.send(Change(id, new.policies, new.point))
        else:
            self._samplers[id.interface].change(id.channel, new.rates)
            self._readings.review(id, new.deadband)

    def _take(self, id: ChannelId, new: Wanted) -> None:
        self._asked[id] = new
        missing = self._hardware.missing(id.interface)
        if missing:
            self._applied.note(id, missing)
            self._readings.fail(id)
            return
        self._applied.opening(id)
        if isinstance(new, WantedOutput):
            self._outputs.send(Open(id, new.settings, new.policies, new.point))
        else:
            self._samplers[id.interface].open(id.channel, new.settings, new.rates)

    def _lose_patience(self) -> None:
        self._timer = None
        self._impatient = True
        log.warning("%s cannot be let go yet: opening the rest", ", ".join(map(str, self._closing)))
        self._advance()
