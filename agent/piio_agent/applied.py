"""How each channel fares, and what is said about it in `config/applied`."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.loop import Loop, Timer
from piio_schemas.configuration import Configuration
from piio_schemas.states import Applied, AppliedPoint, FailSafe

SPACING = 1.0
"""Seconds between two publications."""

PATIENCE = 1.0
"""Seconds that a channel may take to open before it is reported as not yet open."""

_OPENING = AppliedPoint(False, "it is being opened: the driver has not answered yet")
_OK = AppliedPoint(True)


class AppliedState:
    """What is in force. `publish` is called after a change: when all channels have answered, once a second at most."""

    def __init__(self, boot: str, loop: Loop, clock: Clock, publish: Callable[[], None]) -> None:
        self._boot = boot
        self._loop = loop
        self._clock = clock
        self._publish = publish
        self._configuration = Configuration()
        self._refused: Mapping[str, str] = {}
        self._channels: dict[ChannelId, AppliedPoint] = {}
        self._opening: dict[ChannelId, float] = {}
        self._timer: Timer | None = None
        self._published_at: float | None = None

    def accept(self, configuration: Configuration, refused: Mapping[str, str]) -> None:
        """Another configuration is in force, but for the points that are refused for a reason."""
        self._configuration = configuration
        self._refused = refused
        self._changed()

    def opening(self, id: ChannelId) -> None:
        """A channel was asked to open."""
        self._opening[id] = self._clock.monotonic()
        self._channels[id] = replace(_OPENING, last_fail_safe=self._last_fail_safe(id))

    def note(
        self, id: ChannelId, error: str | None = None, fail_safe: str | None = None, last: FailSafe | None = None
    ) -> None:
        """A channel is in force, or is not for this reason; or it is safe for that one, and so it was at last."""
        self._opening.pop(id, None)
        new = AppliedPoint(error is None, error, fail_safe, last or self._last_fail_safe(id))
        if self._channels.get(id) != new:
            self._channels[id] = new
            self._changed()

    def forget(self, id: ChannelId) -> None:
        """A channel is used no more."""
        self._opening.pop(id, None)
        self._channels.pop(id, None)

    @property
    def settled(self) -> bool:
        """Whether every channel has answered."""
        return not self._opening

    def document(self) -> Applied:
        """Return what is in force now."""
        configuration = self._configuration
        points = {name: self._point(point.interface, point.channel) for name, point in configuration.points.items()}
        points |= {name: AppliedPoint(False, why) for name, why in self._refused.items()}
        return Applied(configuration.store, configuration.revision, self._boot, points, configuration.epoch)

    def _point(self, interface: str | None, channel: str | None) -> AppliedPoint:
        if interface is None or channel is None:
            return _OK
        return self._channels.get(ChannelId(interface, channel), _OPENING)

    def _last_fail_safe(self, id: ChannelId) -> FailSafe | None:
        known = self._channels.get(id)
        return known.last_fail_safe if known else None

    def _changed(self) -> None:
        if self._timer:
            self._timer.cancel()
        now = self._clock.monotonic()
        due = now if self._published_at is None else max(now, self._published_at + SPACING)
        if self._opening:
            due = max(due, max(self._opening.values()) + PATIENCE)
        self._timer = self._loop.after(due - now, self._tell)

    def _tell(self) -> None:
        self._timer = None
        self._opening.clear()
        self._published_at = self._clock.monotonic()
        self._publish()
