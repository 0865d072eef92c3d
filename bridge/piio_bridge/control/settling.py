"""Settling boards: what is desired on those that were heard of is decided, stored and published."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from piio.complaints import Complaints
from piio_bridge.clock import Clock
from piio_bridge.control.board import BoardRecord
from piio_bridge.control.changing import Changes
from piio_bridge.control.freshness import Freshness
from piio_bridge.control.presence import Presence
from piio_bridge.data.plane import DataPlane
from piio_bridge.leadership import Leadership
from piio_bridge.store.configurations import Superseded
from piio_bridge.store.database import StoreFailed

AGAIN = 0.5
"""Seconds between two tries to use a database that is full or locked."""

GATHERING = 0.1
"""Seconds in which what else is heard of a board is settled along with the first, so that nobody can make us hurry."""

LOOK = 1.0
"""Seconds between two looks at whether we still lead, while the broker is waited for."""


class Settling:
    """Goes on until the database takes it; another connection of the bridge begins anew. For the event loop."""

    def __init__(
        self, boards: dict[str, BoardRecord], presence: Presence, changes: Changes, freshness: Freshness,
        data: DataPlane, leadership: Leadership, clock: Clock,
    ) -> None:  # fmt: skip
        self._boards = boards
        self._presence = presence
        self._changes = changes
        self._freshness = freshness
        self._data = data
        self._leadership = leadership
        self._complaints = Complaints(clock)
        self._heard_of: dict[str, BoardRecord] = {}

    def note(self, board: BoardRecord, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """Have a board settled soon, together with others."""
        if not self._heard_of:
            spawn(self._settle_noted())
        self._heard_of[board.agent] = board

    async def settle_all(self, done: Callable[[], None]) -> None:
        """Settle all boards there are; it is done when the broker has their qualities as they are now."""

        async def settle() -> None:
            connection = self._freshness.connection
            await self._presence.load()
            await self._changes.settle(list(self._boards.values()))
            await self._changes.clear_removed()
            if await self._broker_has_qualities(connection):
                done()

        await self._until_stored(settle)

    async def _settle_noted(self) -> None:
        await asyncio.sleep(GATHERING)
        boards, self._heard_of = list(self._heard_of.values()), {}

        async def settle() -> None:
            await self._presence.take_in(boards)
            await self._changes.settle(boards)

        await self._until_stored(settle)

    async def _broker_has_qualities(self, connection: int) -> bool:
        """Wait until it has those of this start; False if the connection is another one by then."""
        question = self._data.ask_whether_taken()
        while self._goes_on(connection):
            if await asyncio.to_thread(self._data.wait_taken, question, LOOK):
                return True
        return False

    async def _until_stored(self, work: Callable[[], Awaitable[None]]) -> None:
        connection = self._freshness.connection
        while self._goes_on(connection):
            try:
                await work()
            except (StoreFailed, Superseded) as error:
                self._complaints.note("database", f"{error}; trying again")
                await asyncio.sleep(AGAIN)
            else:
                return

    def _goes_on(self, connection: int) -> bool:
        return connection == self._freshness.connection and not self._leadership.over
