"""The numbers under which the history knows points."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, insert, select

from piio_bridge.store.database import all_at_once
from piio_bridge.store.tables import POINTS

AT_ONCE = 500
"""New points of one statement."""

Key = tuple[str, str]
"""Agent and point."""


class PointNumbers:
    """The ids of points by their present names, remembered until names change."""

    def __init__(self) -> None:
        self._ids: dict[Key, int] = {}

    def __getitem__(self, key: Key) -> int:
        return self._ids[key]

    def forget(self) -> None:
        """Look all of them up anew."""
        self._ids.clear()

    def missing(self, keys: Iterable[Key]) -> Iterator[Key]:
        """Return those that are not known."""
        return (key for key in keys if key not in self._ids)

    def have(self, transaction: Connection, keys: Iterable[Key]) -> None:
        """Know these points from now on; those that are new get an id."""
        missing = set(self.missing(keys))
        if not missing:
            return
        self._look_up(transaction)
        new = [{"agent": agent, "name": name} for agent, name in missing if (agent, name) not in self._ids]
        for first in range(0, len(new), AT_ONCE):
            transaction.execute(insert(POINTS).values(new[first : first + AT_ONCE]))
        if new:
            self._look_up(transaction)

    def _look_up(self, transaction: Connection) -> None:
        query = select(POINTS.c.agent, POINTS.c.name, POINTS.c.id).where(POINTS.c.name.is_not(None))
        # What is remembered stays: values that were taken under a name before are still to be written.
        self._ids = {(agent, name): id for agent, name, id in all_at_once(transaction, query)} | self._ids
