"""Readings of which it is not sure that they have arrived, kept for the history."""

from collections import deque
from collections.abc import Collection

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock

MOST = 20_000
"""Readings of all channels together; then the oldest of the channel that has most of them goes, and is counted."""

Kept = tuple[float, float | None]
"""CLOCK_BOOTTIME in seconds, and the raw from then on; None: there was none."""


class Backlog:
    """In memory only: what a restart of the agent finds undelivered is lost.

    Times are of a clock that nobody steps: what they are in Unix time is decided at delivery. The newest reading before
    those that are not sure stays, too: it says what the channel was until the first of them.
    """

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._channels: dict[ChannelId, deque[Kept]] = {}
        self._count = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._count

    @property
    def channels(self) -> list[ChannelId]:
        """The channels of which something is kept."""
        return [id for id, kept in self._channels.items() if kept]

    def keep_only(self, channels: Collection[ChannelId]) -> None:
        """Keep readings of these channels from now on, and nothing of others."""
        self._channels = {id: self._channels.get(id, deque()) for id in channels}
        self._count = sum(map(len, self._channels.values()))

    def note(self, id: ChannelId, raw: float | None) -> None:
        """A channel was read just now, or has no raw any more."""
        kept = self._channels.get(id)
        if kept is None or (raw is None and (not kept or kept[-1][1] is None)):
            return
        kept.append((self._clock.boottime(), raw))
        self._count += 1
        if self._count > self._most:
            max(self._channels.values(), key=len).popleft()
            self._count -= 1
            self.dropped += 1

    def of(self, id: ChannelId, until: float, most: int) -> list[Kept]:
        """Return the oldest readings of a channel, those after `until` left out."""
        found: list[Kept] = []
        for reading in self._channels.get(id, ()):
            if len(found) == most or reading[0] > until:
                break
            found.append(reading)
        return found

    def arrived(self, until: float, id: ChannelId | None = None) -> None:
        """All readings before a time have arrived: of one channel, or of all."""
        for each in [id] if id else self._channels:
            kept = self._channels.get(each) or deque()
            while len(kept) > 1 and kept[1][0] <= until:
                kept.popleft()
                self._count -= 1
