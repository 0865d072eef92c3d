"""Delivering afterwards what may not have arrived: the history gets it with its times, nobody takes it for live."""

import logging
from collections import deque
from collections.abc import Callable, Iterator

from piio.acknowledgements import FAILURE, NO_SUBSCRIBER
from piio_agent.backlog import Backlog, Kept
from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.loop import Loop
from piio_agent.uplink import Uplink
from piio_schemas import topics
from piio_schemas.beacons import BridgeBeacon, believed_for

log = logging.getLogger(__name__)

SETTLED = 2.0
"""Seconds that the bridge must have been heard before anything is delivered: the live readings go first."""

MARGIN = 2.0
"""Seconds before the last sign that both directions work, within which nothing counts as arrived."""

MOST_AT_ONCE = 1_000
"""Readings in a message: with all their digits they stay below 64 KB."""

PACE = 0.02
"""Seconds between two messages, so that sets and live readings are never behind many of them."""

MANY = 10_000
"""Readings kept from which on our own beacon is sent with each of the bridge's: those that come rarely would be heard
too late for so many a second."""

Message = tuple[ChannelId, list[Kept]]


class Late:
    """For the loop only. What was read before the last beacons heard has arrived; after a silence, all else is sent.

    `number` gives the present connection, None while nothing may be said on it; `beat` sends a beacon of ours.
    """

    def __init__(
        self,
        uplink: Uplink,
        loop: Loop,
        clock: Clock,
        backlog: Backlog,
        number: Callable[[], int | None],
        beat: Callable[[], None],
    ) -> None:
        self._uplink = uplink
        self._loop = loop
        self._clock = clock
        self._backlog = backlog
        self._number = number
        self._beat = beat
        self._bridge: tuple[int, str, int] | None = None
        self._heard_at = self._heard_since = 0.0
        self._echoed = 0.0
        self._offsets: deque[float] = deque(maxlen=5)
        self._due = True
        self._messages: Iterator[Message] | None = None

    def heard_own(self, tick: float) -> None:
        """A beacon of ours came back: what was said before it has reached the broker."""
        self._echoed = tick

    def heard_bridge(self, beacon: BridgeBeacon) -> None:
        """The bridge is there; one that was not for a while may have missed something."""
        number = self._number()
        if number is None:
            return
        now = self._clock.boottime()
        bridge = (number, beacon.boot, beacon.connection)
        if bridge != self._bridge or now - self._heard_at > believed_for(beacon.period):
            self._bridge, self._heard_since, self._due, self._messages = bridge, now, True, None
            self._offsets.clear()
        self._heard_at = now
        self._offsets.append((beacon.time or self._clock.unix()) - now)
        if self._due and now - self._heard_since >= SETTLED:
            self._begin(now)
        elif not self._due and self._messages is None:
            # Not before all is delivered: what waits for its turn was not heard, however long ago it was read.
            self._backlog.arrived(min(self._echoed, now) - MARGIN)
            if len(self._backlog) > MANY:
                self._beat()

    def _begin(self, now: float) -> None:
        self._due = False
        self._messages = self._all(now)
        self._send_next(number=self._number())

    def _all(self, until: float) -> Iterator[Message]:
        """Every channel's readings in messages; each begins with the last of the one before, so that none is between.

        The last one ends with None: that long it is known what the channel was.
        """
        for id in self._backlog.channels:
            while len(found := self._backlog.of(id, until, MOST_AT_ONCE)) == MOST_AT_ONCE:
                yield id, found
            if found and found[-1][1] is not None:
                found.append((until, None))
            if len(found) > 1:
                yield id, found

    def _send_next(self, number: int | None) -> None:
        if self._messages is None or number is None or number != self._number():
            return
        message = next(self._messages, None)
        if message is None:
            self._messages = None
            return
        id, kept = message

        def acknowledged(code: int) -> None:
            # Never dropped, as everything after it would wait for ever.
            self._loop.post_newest(self, lambda: self._acknowledged(number, id, kept, code))

        # The quickest beacon tells best how far the bridge's clock is from ours: history is told by the bridge's.
        offset = max(self._offsets)
        document = [(round(at + offset, 3), raw) for at, raw in kept]
        if not self._uplink.deliver(topics.LATE, document, acknowledged, **id._asdict()):
            self._due, self._messages = True, None

    def _acknowledged(self, number: int, id: ChannelId, kept: list[Kept], code: int) -> None:
        if code == NO_SUBSCRIBER:
            self._due, self._messages = True, None  # the bridge has just gone
            return
        if code >= FAILURE:
            log.warning("late readings of %s are refused by the broker (reason code %#x)", id, code)
        if self._messages is not None and number == self._number():
            self._backlog.arrived(kept[-1][0], id)
            self._loop.after(PACE, lambda: self._send_next(number))
