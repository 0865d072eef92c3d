"""One input: how it is, and when it is to be visited next."""

import threading
from typing import Any

from msgspec import Struct

from piio_agent.channel import ChannelId

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
"""Seconds between two tries of a channel that has failed."""


class Rates(Struct, frozen=True):
    """How often a polled channel is read, in seconds: while somebody looks, and else."""

    period: float
    idle_period: float
    sample_rate: float | None = None
    """Samples a second that go into blocks, whoever looks; the newest is its reading then."""


class Input:
    """One input, touched by the sampler's thread alone; `lock` guards what the driver's thread touches too."""

    def __init__(self, channel: ChannelId, settings: dict[str, Any], rates: Rates, due: float) -> None:
        self.channel = channel
        self.settings = settings
        self.rates = rates
        self.due = due
        self.held = False
        """Whether the driver has given it to us."""
        self.open = False
        """Whether it is as it has to be; one that failed is opened anew."""
        self.watched = False
        self.sampled = False
        """Whether its samples go into blocks."""
        self.lock = threading.Lock()
        self.edges = 0
        self.last: float | None = None
        self._pause = FIRST_PAUSE

    @property
    def polled(self) -> bool:
        """Whether it is open, and only a reading tells what it is."""
        return self.open and not self.watched and not self.sampled

    def work(self) -> None:
        """It does what it should: when it fails, it will be tried again soon."""
        self._pause = FIRST_PAUSE

    def fail(self, now: float) -> None:
        """It has to be opened anew, as the device may have gone and come back: later, and ever later."""
        self.open, self.sampled, self.last = False, False, None
        self.due, self._pause = now + self._pause, min(self._pause * 2, LONGEST_PAUSE)

    def turn(self, now: float, period: float, began: float) -> None:
        """It is due again whole periods after a time that all inputs share: one wake-up is for all with that period.

        Turns that a slow read missed are left out.
        """
        self.due = began + ((now - began) // period + 1) * period
        if self.due <= now:  # by rounding
            self.due += period
