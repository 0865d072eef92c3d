"""The bridge as a whole: its parts, put together and kept running."""

import asyncio
import logging
import signal
from pathlib import Path

from msgspec import Struct

from piio.address import Address
from piio_bridge.clock import Clock, SystemClock
from piio_bridge.control.board import BoardRecord
from piio_bridge.control.changing import Changes
from piio_bridge.control.freshness import Freshness
from piio_bridge.control.outbox import Outbox
from piio_bridge.control.plane import ControlPlane
from piio_bridge.control.presence import Presence
from piio_bridge.control.requests import Requests
from piio_bridge.control.sets import Sets
from piio_bridge.control.trail import Trail
from piio_bridge.data.plane import DataPlane
from piio_bridge.data.readings import Readings
from piio_bridge.equations import warm_up
from piio_bridge.store.audit import Audit
from piio_bridge.store.configurations import Configurations
from piio_bridge.store.database import open_database
from piio_bridge.store.history import History
from piio_schemas.topics import PREFIX

log = logging.getLogger(__name__)


class Settings(Struct, frozen=True):
    """What a bridge is told at its start."""

    address: Address
    database: str
    prefix: str = PREFIX
    plain_sets: bool = True

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
    configurations = Configurations(engine)
    warm_up()
    with History(engine) as history, Audit(engine) as audit:
        readings = Readings(settings.prefix, clock, history.keep)
        with DataPlane(settings.address, readings, settings.prefix, clock) as data:
            await _control(settings, configurations, history, audit, data, clock).run(stopping)
    engine.dispose()


def _control(
    settings: Settings, configurations: Configurations, history: History, audit: Audit, data: DataPlane, clock: Clock
) -> ControlPlane:
    boards: dict[str, BoardRecord] = {}
    outbox = Outbox()
    prefix = settings.prefix
    trail = Trail(audit, clock)
    freshness = Freshness(configurations.epoch)
    changes = Changes(boards, configurations, history, data, outbox, prefix)
    return ControlPlane(
        settings.address,
        prefix,
        boards,
        freshness,
        outbox,
        Sets(boards, data, freshness, outbox, trail, clock, prefix, settings.plain_sets),
        changes,
        Requests(boards, changes, configurations, history, audit, trail, clock),
        Presence(boards, configurations, data, outbox, trail, clock, prefix),
        trail,
        data,
        clock,
    )
