"""Whether somebody looks: leases of viewers, each ending by itself."""

from collections.abc import Callable

from piio_agent.clock import Clock
from piio_agent.loop import Loop, Timer

MOST_VIEWERS = 1000


class Viewers:
    """Calls `look` with True when the first lease begins and with False when the last one has ended."""

    def __init__(self, loop: Loop, clock: Clock, look: Callable[[bool], None]) -> None:
        self._loop = loop
        self._clock = clock
        self._look = look
        self._until: dict[str, float] = {}
        self._watched = False
        self._timer: Timer | None = None

    def lease(self, user: str, seconds: float) -> None:
        """Somebody looks for so many seconds to come."""
        if user in self._until or len(self._until) < MOST_VIEWERS:
            self._until[user] = self._clock.monotonic() + seconds
        self._review()

    def _review(self) -> None:
        now = self._clock.monotonic()
        self._until = {user: until for user, until in self._until.items() if until > now}
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._until:
            self._timer = self._loop.after(max(self._until.values()) - now, self._review)
        if bool(self._until) != self._watched:
            self._watched = bool(self._until)
            self._look(self._watched)
