"""The newest raw of every channel in use, and which of them the broker has."""

from piio_agent.backlog import Backlog
from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.uplink import Uplink

REPEAT = 60.0
"""Seconds after which a raw is published again, changed or not."""


class _Channel:
    def __init__(self) -> None:
        self.raw: float | None = None
        self.published: float | None = None
        self.published_at = 0.0
        self.noted: float | None = None
        self.noted_at = 0.0
        """What the history knows, or will know, and since when."""
        self.failed = False
        """Whether that it has no raw was told."""


class Readings:
    """Publishes raws as they change, all of them at a connect, and clears those that are no more."""

    def __init__(self, uplink: Uplink, clock: Clock, backlog: Backlog) -> None:
        self._uplink = uplink
        self._clock = clock
        self._backlog = backlog
        self._channels: dict[ChannelId, _Channel] = {}
        self._gone: set[ChannelId] = set()
        self.announced = False
        """Whether the broker was told everything on the present connection: nothing is published before."""

    def accept(self, id: ChannelId, raw: float, deadband: float = 0.0) -> None:
        """A channel in use was read."""
        channel = self._channels.setdefault(id, _Channel())
        channel.raw, channel.failed = raw, False
        self._gone.discard(id)
        if channel.noted is None or abs(raw - channel.noted) > deadband:
            self._note(id, channel)
        if channel.published is None or abs(raw - channel.published) > deadband:
            self._publish(id, channel)

    def review(self, id: ChannelId, deadband: float) -> None:
        """Another deadband holds for a channel from now on."""
        channel = self._channels.get(id)
        if channel and channel.raw is not None:
            self.accept(id, channel.raw, deadband)

    def fail(self, id: ChannelId) -> None:
        """A channel has no raw now; whoever tells it again makes no message."""
        channel = self._channels.setdefault(id, _Channel())
        if channel.noted is not None:
            self._backlog.note(id, None)
            channel.noted = None
        if not channel.failed or id in self._gone:
            channel.raw, channel.published, channel.failed = None, None, True
            self._clear(id)

    def forget(self, id: ChannelId) -> None:
        """A channel is used no more."""
        self._channels.pop(id, None)
        self._clear(id)

    def announce(self) -> None:
        """Tell a new connection every raw, and what has none."""
        self.announced = True
        with self._uplink.together():
            for id in [*self._gone, *(id for id, channel in self._channels.items() if channel.raw is None)]:
                self._clear(id)
            for id, channel in self._channels.items():
                if channel.raw is not None:
                    self._publish(id, channel)

    def repeat(self) -> None:
        """Publish again what was not for a minute, or what did not get through, a clearing included."""
        with self._uplink.together():
            self._repeat(self._clock.monotonic())

    def _repeat(self, now: float) -> None:
        for id in list(self._gone):
            self._clear(id)
        for id, channel in self._channels.items():
            late = channel.published is None or now - channel.published_at >= REPEAT
            if channel.raw is not None and late:
                self._publish(id, channel)
            if channel.noted is not None and now - channel.noted_at >= REPEAT:
                self._note(id, channel)

    def _note(self, id: ChannelId, channel: _Channel) -> None:
        """Keep what would be published, whether it is or not: who was to hear it may be away without our knowing."""
        channel.noted, channel.noted_at = channel.raw, self._clock.monotonic()
        self._backlog.note(id, channel.raw)

    def _publish(self, id: ChannelId, channel: _Channel) -> None:
        if channel.raw is not None and self.announced and self._uplink.say_raw(id, channel.raw):
            channel.published = channel.raw
            channel.published_at = self._clock.monotonic()
        else:
            channel.published = None

    def _clear(self, id: ChannelId) -> None:
        """Clear a retained raw, or remember to: one that nobody clears would outlive its channel."""
        self._gone.add(id)
        if self.announced and self._uplink.say_raw(id, None):
            self._gone.discard(id)
