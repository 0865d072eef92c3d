"""Being there: when an agent announces itself, beacons, corrects its status, gives up a deaf connection, or leaves."""

import logging
import random
from typing import Protocol

from piio_agent.clock import Clock
from piio_agent.loop import Loop, Timer
from piio_agent.uplink import ONLINE, Uplink
from piio_schemas import topics
from piio_schemas.beacons import Beacon, BridgeBeacon

log = logging.getLogger(__name__)

WITH_OUTPUTS = 1.0
WITHOUT_OUTPUTS = 10.0
"""Seconds between two beacons."""

DEAF = 3.0
"""Seconds without any beacon, with one of our own on its way, after which a connection is given up."""

GLANCE = 0.5
"""Seconds that a new agent gives its retained status to arrive."""

WATCH = 2.0
"""Seconds in which another agent's beacon turns a new one away."""

FIRST_ABSENCE = 5.0
LONGEST_ABSENCE = 60.0
"""Seconds that an agent stays away when its name is taken."""

RIVALRY = 5.0
"""Seconds after which one of two agents that both think they were first gives in."""


SOON = (0.5, 1.5)
"""Seconds after which a new bridge hears of an agent that beacons rarely: it listens by then, and a crowd is spread."""


class Announcer(Protocol):
    """Who knows what there is to say."""

    def announce(self) -> None:
        """Say everything there is to know on the present connection."""
        ...

    def appeared(self) -> None:
        """We are known to be there."""
        ...

    def withdraw(self) -> None:
        """Say nothing any more on the present connection."""
        ...


class Presence:
    """The life of each connection.

    Who was first stays, so a new agent must not publish anything over what is there. It looks at its retained status:
    if that is not `online`, nobody is there and it announces itself at once. If it is, it listens first: an agent
    with outputs beacons every second. (The status of one that was killed is `offline` in that moment, as its socket
    closes with it; only a machine that lost its power and was back before the broker noticed waits for nothing.) Who
    has been announced before comes back without looking: the `online` it would read may be its own. Whoever is turned
    away by the first two seconds after all has the incumbent say everything again.
    """

    def __init__(
        self,
        uplink: Uplink,
        loop: Loop,
        clock: Clock,
        boot: str,
        announcer: Announcer,
    ) -> None:
        self.number = 0
        self.period = WITHOUT_OUTPUTS
        self._uplink = uplink
        self._loop = loop
        self._clock = clock
        self._boot = boot
        self._announcer = announcer
        self._timer: Timer | None = None
        self._glancing = self._announced = self._established = False
        self._connected_at = self._announced_at = self._heard_at = self._answered_at = 0.0
        self._beacon_timer: Timer | None = None
        self._unheard_since: float | None = None
        self._absence = FIRST_ABSENCE
        self._turned_away: float | None = None
        self._rival: tuple[str, int, float] | None = None
        self._bridge: tuple[str, int] | None = None

    @property
    def announcing(self) -> bool:
        """Whether the present connection is ours to speak on."""
        return self._announced

    def start(self) -> None:
        """Begin to beat."""
        self._loop.every(1.0, self._listen)

    def connected(self, number: int) -> None:
        """A new connection is up."""
        self.number = number
        self._announced = False
        self._connected_at = self._heard_at = self._clock.monotonic()
        self._unheard_since = self._rival = None
        if self._turned_away is not None:
            self._wait(self._turned_away)
        elif self._established:
            self._appear()
        else:
            self._glancing = True
            self._wait(GLANCE)

    def set_period(self, period: float) -> None:
        """Beacon every so many seconds."""
        shorter, self.period = period < self.period, period
        if shorter and self._announced:
            self._send()

    def beat(self) -> None:
        """Beacon now, if we are known to be there."""
        if self._announced and self._uplink.up:
            self._send()

    def heard_status(self, payload: bytes) -> None:
        """Our own status was heard, or somebody else's word on it."""
        if self._announced and payload != ONLINE:
            self._uplink.say(topics.STATUS, ONLINE)
        elif self._glancing:
            self._glancing = False
            if payload == ONLINE:
                self._wait(self._connected_at + WATCH - self._clock.monotonic())
            else:
                self._appear()

    def heard_bridge(self, beacon: BridgeBeacon) -> None:
        """A beacon of the bridge was heard; one that is new, or connected anew, has not heard us yet."""
        self._heard()
        before, self._bridge = self._bridge, (beacon.boot, beacon.connection)
        if before not in (None, self._bridge) and self.period > SOON[1]:
            self._loop.after(random.uniform(*SOON), self.beat)

    def heard_beacon(self, beacon: Beacon) -> None:
        """A beacon of our name was heard."""
        if beacon.boot == self._boot:
            self._heard()
        elif not self._announced or self._clock.monotonic() - self._announced_at < WATCH:
            self._give_way(beacon)
        else:
            self._stand(beacon)

    def _appear(self) -> None:
        self._cancel()
        self._glancing = False
        self._announced = self._established = True
        self._turned_away = None
        self._announced_at = self._clock.monotonic()
        self._say_all()
        self._announcer.appeared()

    def _say_all(self) -> None:
        self._announcer.announce()
        self._uplink.say(topics.STATUS, ONLINE)
        self._send()

    def _listen(self) -> None:
        """Once a second: do we still hear?"""
        now = self._clock.monotonic()
        if not self._announced or not self._uplink.up:
            return
        if now - self._announced_at > WATCH:
            self._absence = FIRST_ABSENCE
        silent = now - self._heard_at >= DEAF
        if silent and self._unheard_since is not None and now - self._unheard_since >= DEAF:
            self._announced = False
            log.warning("nothing was heard for %g s, not even our own beacon: connecting anew", DEAF)
            self._uplink.abandon("deaf")
        # The one that beacons rarely asks itself whether it still hears when the bridge falls silent.
        elif silent and self._unheard_since is None:
            self._send()

    def _beat(self) -> None:
        self._beacon_timer = self._loop.after(self.period, self._beat)
        if self._announced and self._uplink.up:
            self._say_beacon()

    def _send(self) -> None:
        """Beacon now, and a period later the next time."""
        if self._beacon_timer:
            self._beacon_timer.cancel()
        self._beat()

    def _say_beacon(self) -> None:
        now = self._clock.monotonic()
        beacon = Beacon(self._boot, self.number, round(self._clock.boottime(), 6), self.period)
        if self._uplink.say(topics.BEACON, beacon):
            self._unheard_since = now if self._unheard_since is None else self._unheard_since

    def _heard(self) -> None:
        self._heard_at = self._clock.monotonic()
        self._unheard_since = None

    def _give_way(self, beacon: Beacon) -> None:
        """Leave without a trace; the incumbent says again what we may have said over it."""
        self._cancel()
        self._announcer.withdraw()
        self._announced = self._glancing = False
        self.number = 0  # what still waits to be handled was for this connection
        self._turned_away = min(beacon.period, WITHOUT_OUTPUTS) + 1
        pause = random.uniform(self._absence / 2, self._absence)
        self._absence = min(self._absence * 2, LONGEST_ABSENCE)
        log.error(
            "an agent called '%s' is there already (boot %s): leaving it the name, trying again in %.0f s; "
            "give one of them another name", self._uplink.name, beacon.boot, pause,
        )  # fmt: skip
        self._uplink.leave(pause)

    def _stand(self, beacon: Beacon) -> None:
        """Stay: tell the other that we are here, and everybody what is ours."""
        now = self._clock.monotonic()
        rival = (beacon.boot, beacon.connection)
        if self._rival is None or self._rival[:2] != rival:
            self._rival = (*rival, now)
            log.error(
                "another agent calls itself '%s' too (boot %s): give it another name", self._uplink.name, beacon.boot
            )
        if now - self._rival[2] >= RIVALRY and beacon.boot < self._boot:
            self._give_way(beacon)
        elif now - self._answered_at >= 1.0:
            self._answered_at = now
            self._say_all()

    def _wait(self, seconds: float) -> None:
        self._cancel()
        number = self.number
        self._timer = self._loop.after(seconds, lambda: self._appear_on(number))

    def _appear_on(self, number: int) -> None:
        if number == self.number and self._uplink.up:
            self._appear()

    def _cancel(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
