"""One term at the head of a database: from taking its lease until it is lost or given up."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from piio_bridge.clock import Clock
from piio_bridge.store.database import StoreFailed
from piio_bridge.store.lease import Held, Lease

log = logging.getLogger(__name__)

RENEWAL = 1.0
"""Seconds between two renewals."""

MAY_LEAD = 4.0
"""Seconds after a renewal for which nobody can have taken over: others watch for longer than that."""

AGAIN = 0.2
"""Seconds between two tries while it is in doubt who leads."""


class Leadership:
    """Says whether we still lead. `holds`, `over` and `give_up` are for any thread, the rest for the event loop.

    The renewals run on the event loop that does the work, so that a bridge that hangs leads no more. After a pause of
    the process or the machine nothing may be done before the database has confirmed that nobody took over meanwhile.
    """

    def __init__(self, lease: Lease, held: Held, taken_at: float, clock: Clock, stopping: asyncio.Event) -> None:
        self.store = held.store
        self.epoch = held.epoch
        self._lease = lease
        self._held = held
        self._confirmed = taken_at
        self._clock = clock
        self._stopping = stopping
        self._reason = ""
        self._complaint = ""
        self._one_at_a_time = asyncio.Lock()
        # A thread of its own: requests that wait for the database must not hold the renewals up.
        self._thread = ThreadPoolExecutor(1, "piio lease")

    @property
    def over(self) -> bool:
        """Whether this term has ended."""
        return bool(self._reason)

    def holds(self) -> bool:
        """Whether nobody else can be leading in this moment."""
        return not self._reason and self._clock.boottime() - self._confirmed < MAY_LEAD

    def doubt(self) -> None:
        """Something speaks against us: nothing is done before the database has confirmed that we lead."""
        self._confirmed = -MAY_LEAD

    def give_up(self, reason: str) -> None:
        """End this term, and say why."""
        if not self._reason:
            self._reason = reason
            log.warning("leads no more: %s", reason)

    async def confirm(self) -> bool:
        """Return whether we lead; while that is in doubt, ask the database until it is known or we are to stop."""
        while not self.holds():
            await self._renew()
            if self._reason or self._stopping.is_set():
                return self.holds()
            if not self.holds():
                await asyncio.sleep(AGAIN)
        return True

    async def keep(self) -> None:
        """Renew the lease once a second until the term is over."""
        while not self._reason:
            await asyncio.sleep(RENEWAL)
            await self._renew()

    async def end(self) -> None:
        """Give the lease back if it is ours still."""
        self._reason = self._reason or "it was ended"
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._lease.release, self._held)
        except StoreFailed as failure:
            log.warning("the lease could not be given back, others will wait for it to run out: %s", failure)
        self._thread.shutdown(wait=False)

    async def _renew(self) -> None:
        async with self._one_at_a_time:
            asked = self._clock.boottime()  # before it is known when exactly, so that a pause in between counts
            try:
                ours = await asyncio.get_running_loop().run_in_executor(self._thread, self._lease.renew, self._held)
            except StoreFailed as failure:
                # Somebody may just have had the database for a moment: it is tried anew within a second.
                if str(failure) != self._complaint and asked - self._confirmed > MAY_LEAD / 2:
                    log.warning("the lease could not be renewed: %s", failure)
                    self._complaint = str(failure)
                return
            self._complaint = ""
            if ours:
                self._confirmed = asked
            else:
                self.give_up("another bridge took over")
