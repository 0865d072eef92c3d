"""The numbers under which the history knows points."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Engine, select

from piio_bridge.store.bulk import carry_out
from piio_bridge.store.database import all_at_once, transaction
from piio_bridge.store.tables import POINTS

Key = tuple[str, str]
"""Agent and point."""


class PointNumbers:
    """The ids of points by their present names, remembered until names change."""

    def __init__(self) -> None:
        self._ids: dict[Key, int] = {}
        self._highest = 0

    def __getitem__(self, key: Key) -> int:
        return self._ids[key]

    def forget(self) -> None:
        """Look all of them up anew."""
        self._ids.clear()
        self._highest = 0

    def missing(self, keys: Iterable[Key]) -> Iterator[Key]:
        """Return those that are not known."""
        return (key for key in keys if key not in self._ids)

    def have(self, engine: Engine, keys: Iterable[Key]) -> None:
        """Know these points from now on; those that are new get an id. Who looks them up locks nobody out."""
        missing = set(self.missing(keys))
        if missing:
            with transaction(engine, reading=True) as connection:
                self._look_up(connection)
        new = set(self.missing(missing))
        if new:
            with transaction(engine) as connection:
                carry_out(connection, "INSERT INTO points (agent, name) SELECT {0}, {1} FROM {rows}", new)
            with transaction(engine, reading=True) as connection:
                self._look_up(connection)

    def _look_up(self, connection: Connection) -> None:
        """Learn those that came since the last time: an id is higher than all before it, and never used again."""
        query = select(POINTS.c.agent, POINTS.c.name, POINTS.c.id)
        found = all_at_once(connection, query.where(POINTS.c.name.is_not(None), POINTS.c.id > self._highest))
        # What is remembered stays: values that were taken under a name before are still to be written.
        for agent, name, id in found:
            self._ids.setdefault((agent, name), id)
        self._highest = max((id for _, _, id in found), default=self._highest)
