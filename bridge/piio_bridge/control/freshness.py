"""How old a command can be: ages are measured by the bridge's own beacons, never by comparing clocks."""

import secrets
from collections import deque

from piio_schemas.beacons import BRIDGE_PERIOD, BridgeBeacon, Echo

HELD_UP = 1.0
"""Seconds a beacon may take to come back before the broker counts as held up."""

ON_TIME_FOR = 2.0
"""Seconds that beacons must have been on time again before plain sets are taken."""


HELD = "the broker was held up: send it again in a few seconds"
CONNECTED = "the bridge has only just connected: send it again in a few seconds"


class Freshness:
    """The bridge's beacons: sent, heard back, and what that says of a set. All times are boottime seconds."""

    def __init__(self, epoch: int, store: str = "") -> None:
        self.boot = secrets.token_hex(8)
        self.epoch = epoch
        self._store = store
        self.connection = 0
        self._heard_tick: float | None = None
        self._outstanding: deque[float] = deque()
        self._late_until: float | None = None
        self._why = HELD

    def connected(self) -> None:
        """A new connection, the first one as well: nothing of the one before counts.

        Its broker may have been held up until a moment before, and nobody can tell: what waited at other sockets is
        handled after our subscription, among our first beacons, which come back at once.
        """
        self.connection += 1
        self._heard_tick = None
        self._outstanding.clear()
        self._late_until = None

    def beacon(self, now: float, unix: float) -> BridgeBeacon:
        """Return the beacon to send now."""
        self._outstanding.append(now)
        return BridgeBeacon(self.boot, self.connection, now, BRIDGE_PERIOD, self.epoch, unix, self._store)

    def heard(self, beacon: BridgeBeacon, now: float) -> bool:
        """Take a beacon that came back; returns whether it is ours, of this connection."""
        if beacon.boot != self.boot or beacon.connection != self.connection:
            return False
        if self._heard_tick is None:
            self._hold(beacon.tick, CONNECTED)
        self._note_lateness(now)
        while self._outstanding and self._outstanding[0] <= beacon.tick:
            self._outstanding.popleft()
        self._heard_tick = beacon.tick
        return True

    @property
    def returned(self) -> bool:
        """Whether a beacon has come back on this connection."""
        return self._heard_tick is not None

    def judge_plain(self, ttl: float, now: float) -> tuple[str, str] | None:
        """Return why a set without an echo must not act (status, reason); None if it may."""
        self._note_lateness(now)
        if self._heard_tick is None:
            return "refused", CONNECTED
        if now - self._heard_tick > ttl:
            return "expired", f"it may be older than {ttl:g} s: the broker was held up"
        if self._late_until is not None and now < self._late_until:
            return "refused", self._why
        return None

    def judge_echo(self, echo: Echo, ttl: float, now: float) -> tuple[str, str] | None:
        """Return why a set that echoes a beacon must not act (status, reason); None if it may."""
        if echo.boot != self.boot or echo.connection != self.connection:
            return "refused", "it answers a beacon of another connection of the bridge: take the newest one"
        age = now - echo.tick
        if age < 0:
            return "refused", "it answers a beacon that was never sent"
        if age > ttl:
            return "expired", f"it is {age:.1f} s old and may be {ttl:g} s"
        return None

    def age(self, echo: Echo | None, now: float) -> float:
        """Return how many seconds old a set is that may act: since what it echoes, or at most, without an echo."""
        since = echo.tick if echo else self._heard_tick
        return now - since if since is not None else 0.0

    def _note_lateness(self, now: float) -> None:
        """A beacon that is out for longer than it should shows that what we hear is old."""
        if self._outstanding and now - self._outstanding[0] > HELD_UP:
            self._hold(now, HELD)

    def _hold(self, since: float, why: str) -> None:
        self._late_until, self._why = since + ON_TIME_FOR, why
