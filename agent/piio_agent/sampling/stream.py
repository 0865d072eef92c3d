"""One channel's samples on their way into blocks: when the next is due, and which were missed."""

from array import array
from collections import deque
from collections.abc import Callable

from piio_agent.clock import NS, Clock, unix_ahead_ns
from piio_agent.interfaces.contract import Channel
from piio_schemas.blocks import MOST_LOST, Block, capacity

LATENCY = 0.2
"""Seconds that a sample waits at most for its block to be full."""

MOST_BLOCKS = 200
"""Blocks of a channel within a second: where most samples are missed each block is short, and the rest is lost."""

ANY = "d"
"""The type of samples of which nothing is known."""

WHOLE = {"H": (0, 2**16 - 1), "h": (-(2**15), 2**15 - 1), "i": (-(2**31), 2**31 - 1)}
"""The types of samples that are whole numbers, with their range, the smallest first."""


class Stream:
    """Samples at multiples of `spacing` nanoseconds of the monotonic clock, so that equal rates are due together.

    What is late by more than a spacing was missed: it is counted, and ends the block, for within one the spacing is
    true. One thread adds samples; `newest` may be looked at by others.
    """

    def __init__(
        self, channel: str, rate: float, known: Channel | None, clock: Clock, send: Callable[[Block], None]
    ) -> None:
        self.channel = channel
        self.rate = rate
        self.spacing = round(NS / rate)
        self.due = (clock.monotonic_ns() // self.spacing + 1) * self.spacing
        """The time of the next sample on the monotonic clock, in nanoseconds."""
        self.newest: float | None = None
        self._clock = clock
        self._send = send
        self._begin_anew(_typecode(known))
        self._t_ns = 0
        self._lost = 0
        self._sent: deque[float] = deque(maxlen=MOST_BLOCKS)

    def catch_up(self, now: int) -> None:
        """Leave out what should have been sampled by now, but for the newest."""
        missed = (now - self.due) // self.spacing
        if missed > 0:
            self.finish()
            self._lost += missed
            self.due += missed * self.spacing

    def add(self, value: float) -> None:
        """Take the sample that was due."""
        if not self._fits(value):
            # No count, though the driver's limits look like those of one.
            self.finish()
            self._begin_anew(ANY)
        if not self._samples:
            self._t_ns = self.due + unix_ahead_ns(self._clock)
        self._samples.append(value if self._samples.typecode == ANY else int(value))
        self.newest = value
        self.due += self.spacing
        if len(self._samples) >= self._full:
            self.finish()

    def finish(self) -> None:
        """Send what there is."""
        if not self._samples:
            return
        block = Block(self._t_ns, self.spacing, self._samples, lost=min(self._lost, MOST_LOST))
        self._begin_anew(self._samples.typecode)
        now = self._clock.monotonic()
        if len(self._sent) == MOST_BLOCKS and now - self._sent[0] < 1.0:
            self._lost += len(block.samples)
            return
        self._sent.append(now)
        self._lost = 0
        self._send(block)

    def _begin_anew(self, typecode: str) -> None:
        self._samples: array[float] = array(typecode)
        self._full = max(1, min(capacity(typecode), int(LATENCY * self.rate)))

    def _fits(self, value: float) -> bool:
        if self._samples.typecode == ANY:
            return True
        low, high = WHOLE[self._samples.typecode]
        return low <= value <= high and value == int(value)


def _typecode(channel: Channel | None) -> str:
    """The smallest type for whole numbers of the channel's range; any number where that is not known."""
    if channel is None or channel.low is None or channel.high is None:
        return ANY
    fitting = (code for code, (low, high) in WHOLE.items() if low <= channel.low and channel.high <= high)
    return next(fitting, ANY)
