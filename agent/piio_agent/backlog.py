"""Readings of which it is not sure that they have arrived, kept for the history."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Collection

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock

MOST = 100_000
"""Readings of all channels together, at 16 bytes each; then the oldest of the channel that has most of them go."""

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
        self._channels: dict[ChannelId, _Channel] = {}
        self._count = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._count

    @property
    def channels(self) -> list[ChannelId]:
        """The channels of which something is kept."""
        return [id for id, kept in self._channels.items() if len(kept)]

    def keep_only(self, channels: Collection[ChannelId]) -> None:
        """Keep readings of these channels from now on, and nothing of others."""
        self._channels = {id: self._channels.get(id) or _Channel() for id in channels}
        self._count = sum(map(len, self._channels.values()))

    def note(self, id: ChannelId, raw: float | None) -> None:
        """A channel was read just now, or has no raw any more."""
        kept = self._channels.get(id)
        if kept is None or (raw is None and kept.ended):
            return
        kept.append(self._clock.boottime(), raw)
        self._count += 1
        if self._count > self._most:
            self._make_room()

    def of(self, id: ChannelId, until: float, most: int) -> list[Kept]:
        """Return the oldest readings of a channel, those after `until` left out."""
        kept = self._channels.get(id)
        return kept.oldest(until, most) if kept else []

    def arrived(self, until: float, id: ChannelId | None = None) -> None:
        """All readings before a time have arrived: of one channel, or of all."""
        for each in [id] if id else self._channels:
            kept = self._channels.get(each)
            if kept:
                self._count -= kept.drop(kept.until(until) - 1)

    def _make_room(self) -> None:
        """Let a hundredth of the busiest channel go: to look for it each time would take longer than to note."""
        busiest = max(self._channels.values(), key=len)
        gone = busiest.drop(1 + len(busiest) // 100)
        self._count -= gone
        self.dropped += gone


class _Channel:
    """One channel's readings, oldest first, in two arrays: as objects they would take seven times the memory."""

    def __init__(self) -> None:
        self._times = array("d")
        self._raws = array("d")
        """What has no raw is not a number."""
        self._begin = 0
        """How many at the beginning are gone."""

    def __len__(self) -> int:
        return len(self._times) - self._begin

    @property
    def ended(self) -> bool:
        """Whether there is no raw now."""
        return not len(self) or math.isnan(self._raws[-1])

    def append(self, at: float, raw: float | None) -> None:
        """Add the newest."""
        self._times.append(at)
        self._raws.append(math.nan if raw is None else raw)

    def oldest(self, until: float, most: int) -> list[Kept]:
        """So many of the oldest, those after a time left out."""
        end = min(self._begin + self.until(until), self._begin + most)
        times, raws = self._times[self._begin : end], self._raws[self._begin : end]
        return [(at, None if math.isnan(raw) else raw) for at, raw in zip(times, raws, strict=True)]

    def until(self, at: float) -> int:
        """How many there are up to a time."""
        return bisect_right(self._times, at, self._begin) - self._begin

    def drop(self, count: int) -> int:
        """Let so many of the oldest go, and return how many that were."""
        count = max(0, min(count, len(self)))
        self._begin += count
        if self._begin > len(self):  # more are gone than there are: moving those costs less than what was gained
            del self._times[: self._begin], self._raws[: self._begin]
            self._begin = 0
        return count
