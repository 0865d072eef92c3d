"""Who wants to lead: waits until nobody else does, and takes the lease."""

import asyncio
import logging

from piio_bridge.clock import Clock
from piio_bridge.leadership import Leadership
from piio_bridge.lookout import Lookout
from piio_bridge.store.database import StoreFailed
from piio_bridge.store.lease import Lease, Seen
from piio_schemas.states import ONLINE

log = logging.getLogger(__name__)

LOOK = 0.25
"""Seconds between two looks at the lease."""

STANDSTILL = 5.0
"""Seconds without a beat after which the leader has stopped leading by itself (`MAY_LEAD`), or is dead."""

UNHEARD = 8.0
"""Seconds in which a leader that renews its lease must be heard at the broker: from where we are it can be reached."""

GLANCE = 0.3
"""Seconds that the retained status gets to arrive."""

WATCH = 2.5
"""Seconds to listen for the beacon of a bridge that is said to be online."""

ESTRANGED = 30.0
"""Seconds after the last beacon of a bridge with another database: until then it may just be starting anew."""


class Candidate:
    """Stands by until it is its turn."""

    def __init__(self, lease: Lease, lookout: Lookout, clock: Clock) -> None:
        self._lease = lease
        self._store = lease.store
        self._lookout = lookout
        self._clock = clock
        self._seen: Seen | None = None
        self._seen_first = self._seen_last = 0.0
        self._said = ""

    async def wait(self, stopping: asyncio.Event) -> Leadership | None:
        """Return a term to lead; None when told to stop before that."""
        self._lease.close()
        while not stopping.is_set():
            try:
                leadership = await self._try(stopping)
            except StoreFailed as failure:
                leadership = None
                self._say(f"it is not known who leads: {failure}", logging.WARNING)
            if leadership:
                log.info("leads: epoch %d of the database %s", leadership.epoch, leadership.store)
                return leadership
            try:
                await asyncio.wait_for(stopping.wait(), LOOK)
            except TimeoutError:
                continue
        return None

    async def _try(self, stopping: asyncio.Event) -> Leadership | None:
        if not self._may_ask():
            return None
        seen = await asyncio.to_thread(self._watch)
        if not await asyncio.to_thread(self._is_our_turn, seen):
            self._say(f"stands by: another bridge leads (epoch {self._epoch_heard()})")
            return None
        asked = self._clock.boottime()
        held = await asyncio.to_thread(self._lease.take, seen)
        if held is None:
            self._lease.close()
            return None
        return Leadership(self._lease, held, asked, self._clock, stopping)

    def _may_ask(self) -> bool:
        """Whether the broker is reached, and nobody with another database is at work there."""
        lookout, now = self._lookout, self._clock.boottime()
        if lookout.listening_since is None:
            return False
        listening = now - lookout.listening_since
        beacon = lookout.beacon
        if beacon and beacon.store != self._store and now - lookout.heard_at < ESTRANGED:
            self._say(
                f"another bridge is at work at this broker, with another database ({beacon.store or 'unknown'}; ours "
                f"is {self._store}): stands back. Stop one of the two, or give both the same --database",
                logging.ERROR,
            )
            return False
        if lookout.status is None:
            return listening >= GLANCE
        told = beacon is not None and lookout.heard_at >= lookout.listening_since
        return lookout.status != ONLINE or told or listening >= WATCH

    def _watch(self) -> Seen:
        """Look at the lease, and note since when it has been as it is."""
        asked = self._clock.boottime()
        seen = self._lease.look()
        if seen == self._seen:
            self._seen_last = asked
        else:
            self._seen, self._seen_first = seen, self._clock.boottime()
            self._seen_last = self._seen_first
        return seen

    def _is_our_turn(self, seen: Seen) -> bool:
        if self._seen_last - self._seen_first >= STANDSTILL or self._lease.is_free(seen):
            return True
        lookout, now = self._lookout, self._clock.boottime()
        since = lookout.listening_since
        return since is not None and now - max(since, lookout.heard_at) >= UNHEARD

    def _epoch_heard(self) -> str:
        return str(self._lookout.beacon.epoch) if self._lookout.beacon else "unknown"

    def _say(self, text: str, level: int = logging.INFO) -> None:
        """Say it once, until there is something else to say."""
        if text != self._said:
            log.log(level, "%s", text)
        self._said = text
