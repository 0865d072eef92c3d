"""The bridge as a whole: its parts, put together and kept running."""

import asyncio
import logging
import signal
from pathlib import Path

from msgspec import Struct

from piio.address import Address
from piio_bridge.candidate import Candidate
from piio_bridge.clock import Clock, SystemClock
from piio_bridge.control.board import BoardRecord
from piio_bridge.control.changing import Changes
from piio_bridge.control.freshness import Freshness
from piio_bridge.control.outbox import Outbox
from piio_bridge.control.plane import ControlPlane
from piio_bridge.control.presence import Presence
from piio_bridge.control.requests import Requests
from piio_bridge.control.sets import Sets
from piio_bridge.control.settling import Settling
from piio_bridge.control.trail import Trail
from piio_bridge.data.plane import DataPlane
from piio_bridge.data.readings import Readings
from piio_bridge.equations import warm_up
from piio_bridge.leadership import Leadership
from piio_bridge.lookout import Lookout
from piio_bridge.store.audit import Audit
from piio_bridge.store.configurations import Configurations
from piio_bridge.store.database import open_database
from piio_bridge.store.history import History
from piio_bridge.store.lease import Lease
from piio_bridge.store.retention import Keeping
from piio_schemas.topics import PREFIX

log = logging.getLogger(__name__)


class Settings(Struct, frozen=True):
    """What a bridge is told at its start."""

    address: Address
    database: str
    prefix: str = PREFIX
    plain_sets: bool = True
    keeping: Keeping = Keeping()

    @classmethod
    def default_database(cls, state: Path) -> str:
        """Return the URL of the SQLite file in a state folder."""
        return f"sqlite:///{state.absolute() / 'bridge.db'}"


async def serve(settings: Settings, clock: Clock | None = None) -> None:
    """Run the bridge until SIGTERM or SIGINT; DatabaseError if its database cannot be used."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    clock = clock or SystemClock()
    engine = open_database(settings.database)
    lease = Lease(engine)
    warm_up()
    with History(engine, settings.keeping) as history, Audit(engine) as audit:
        while leadership := await _turn(settings, lease, clock, stopping):
            store = Store(Configurations(engine, leadership), history, audit)
            try:
                await _lead(settings, store, leadership, clock, stopping)
            finally:
                await leadership.end()
    engine.dispose()


class Store(Struct, frozen=True):
    """What is kept in the database."""

    configurations: Configurations
    history: History
    audit: Audit


async def _turn(settings: Settings, lease: Lease, clock: Clock, stopping: asyncio.Event) -> Leadership | None:
    """Stand by until it is our turn to lead; None when told to stop."""
    with Lookout(settings.address, settings.prefix, clock) as lookout:
        return await Candidate(lease, lookout, clock).wait(stopping)


async def _lead(
    settings: Settings, store: Store, leadership: Leadership, clock: Clock, stopping: asyncio.Event
) -> None:
    """Do a bridge's work until told to stop, or until another bridge leads. Nothing of a term outlives it."""
    renewing = asyncio.ensure_future(leadership.keep())
    store.history.begin_term()
    readings = Readings(settings.prefix, clock, store.history)
    try:
        with DataPlane(settings.address, readings, settings.prefix, clock, leadership) as data:
            await _control(settings, store, leadership, data, clock).run(stopping)
    finally:
        renewing.cancel()


def _control(settings: Settings, store: Store, leadership: Leadership, data: DataPlane, clock: Clock) -> ControlPlane:
    configurations, history, audit = store.configurations, store.history, store.audit
    boards: dict[str, BoardRecord] = {}
    outbox = Outbox(leadership)
    prefix = settings.prefix
    trail = Trail(audit, clock)
    freshness = Freshness(leadership.epoch, leadership.store)
    changes = Changes(boards, configurations, history, data, outbox, prefix)
    presence = Presence(boards, configurations, data, outbox, trail, clock, prefix)
    return ControlPlane(
        settings.address,
        prefix,
        freshness,
        outbox,
        Sets(boards, data, freshness, outbox, trail, clock, prefix, settings.plain_sets),
        Requests(boards, changes, configurations, history, audit, trail, clock),
        presence,
        Settling(boards, presence, changes, freshness, data, leadership, clock),
        trail,
        data,
        clock,
        leadership,
    )
