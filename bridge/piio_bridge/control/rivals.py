"""Other bridges at the same broker: who gives in."""

import logging

from piio_bridge.leadership import Leadership
from piio_schemas.beacons import BridgeBeacon

log = logging.getLogger(__name__)

NEW = 3.0
"""Seconds on a connection in which a bridge is the newcomer: whoever is heard then was there before."""

RIVALRY = 5.0
"""Seconds after which one of two bridges that both think they were first gives in."""


class Rivals:
    """Judges beacons that are not ours. All times are boottime seconds."""

    def __init__(self, leadership: Leadership, boot: str) -> None:
        self._leadership = leadership
        self._boot = boot
        self._connected_at = 0.0
        self._since: tuple[str, float] | None = None

    def connected(self, now: float) -> None:
        """A new connection of ours is up."""
        self._connected_at = now
        self._since = None

    def heard(self, beacon: BridgeBeacon, now: float) -> None:
        """Take a beacon that is not of this connection; it may end our term."""
        if beacon.boot == self._boot:
            return
        if beacon.store == self._leadership.store:
            if beacon.epoch > self._leadership.epoch:
                self._leadership.doubt()  # the database knows
            return
        if self._since is None or self._since[0] != beacon.boot:
            self._since = (beacon.boot, now)
            log.error(
                "another bridge is at work at this broker, with another database (%s; ours is %s): stop one of the "
                "two, or give both the same --database", beacon.store or "unknown", self._leadership.store,
            )  # fmt: skip
        if now - self._connected_at < NEW or (now - self._since[1] >= RIVALRY and beacon.boot < self._boot):
            self._leadership.give_up("a bridge with another database was there before")
