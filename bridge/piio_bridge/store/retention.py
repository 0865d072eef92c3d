"""How long history is kept, and the going of what is older, a little at a time."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct
from sqlalchemy import Connection, Engine, Executable, Table, TextClause, and_, delete, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite

from piio_bridge.store.columns import Integers
from piio_bridge.store.database import all_at_once, transaction
from piio_bridge.store.summaries import FAR, HOUR, MINUTE
from piio_bridge.store.tables import GAPS, HISTORY, HOURS, KEPT, MINUTES, POINTS

DAY = 86_400_000

AT_ONCE = 20_000
"""Rows of one transaction: others must not wait long for their turn."""

POINTS_AT_ONCE = 200

COUNTS_AT_ONCE = 1_000

HOURS_LAST = 10
"""So many times as long as minutes are hours kept."""

ROOM = 0.02
"""Share of the most values that goes at once when they are too many."""

PAGES_AT_ONCE = 100

SPARE_PAGES = 2_000
"""Free pages that SQLite's file may keep besides a fifth of all."""


class Keeping(Struct, frozen=True):
    """How much history is kept."""

    days: float = 31
    """Of every value."""
    most_values: int = 100_000_000
    """Of all points together: the oldest go, however young they are."""
    summary_days: float = 400
    """Of each minute's summary; each hour's is kept ten times as long."""


class Horizons(Struct, frozen=True):
    """Unix milliseconds before which values, minutes and hours are gone, or may be."""

    values: int = 0
    minutes: int = 0
    hours: int = 0


class Retention:
    """Lets go what is too old, or too much. All of it is work of the history's writer."""

    def __init__(self, engine: Engine, keeping: Keeping) -> None:
        self._engine = engine
        self._keeping = keeping
        self.horizons = Horizons()
        self._done = Horizons()

    def count(self, transaction: Connection, times: Integers) -> None:
        """Note how many values were written of which minute."""
        minutes, counts = np.unique(times // MINUTE * MINUTE, return_counts=True)
        rows = [{"t_ms": t_ms, "count": n} for t_ms, n in zip(minutes.tolist(), counts.tolist(), strict=True)]
        for first in range(0, len(rows), COUNTS_AT_ONCE):
            transaction.execute(_adding(transaction.dialect.name, rows[first : first + COUNTS_AT_ONCE]))

    def work(self, now_ms: int | None = None) -> Iterator[None]:
        """Do what there is to do, each step a transaction; StoreFailed leaves the rest for the next time."""
        now_ms = int(time.time() * 1000) if now_ms is None else now_ms
        self._look(now_ms)
        wanted, done = self.horizons, self._done
        with transaction(self._engine, reading=True) as connection:
            rows = all_at_once(connection, select(POINTS.c.id, POINTS.c.name.is_(None).label("nobodys")))
        points, nobodys = ([id for id, mine in rows if bool(mine) is which] for which in (False, True))
        if wanted.values > done.values:
            yield from self._clear(HISTORY, points, wanted.values)
            self._forget_counts(wanted)
        if wanted.minutes > done.minutes:
            yield from self._clear(MINUTES, points, wanted.minutes)
            yield from self._clear(HOURS, points, wanted.hours)
        self._done = wanted
        if nobodys:
            yield from self._clear_nobodys(nobodys)
        yield from self._give_back()

    def _look(self, now_ms: int) -> None:
        """Find out what is to go; values at most once an hour, unless they are too many."""
        keeping, hour = self._keeping, now_ms // HOUR * HOUR
        values = max(self.horizons.values, hour - int(keeping.days * DAY))
        minutes = max(self.horizons.minutes, hour - int(keeping.summary_days * DAY))
        hours = max(self.horizons.hours, hour - int(keeping.summary_days * HOURS_LAST * DAY))
        with transaction(self._engine, reading=True) as connection:
            rows = sorted(all_at_once(connection, select(KEPT.c.t_ms, KEPT.c.count)))
        total = sum(count for t_ms, count in rows if t_ms >= values)
        if total > keeping.most_values:
            for t_ms, count in rows:
                if t_ms >= values and total > keeping.most_values * (1 - ROOM):
                    values, total = t_ms + MINUTE, total - count
        self.horizons = Horizons(min(values, now_ms // MINUTE * MINUTE), minutes, hours)

    def _clear(self, table: Table, points: list[int], before: int) -> Iterator[None]:
        for first in range(0, len(points), POINTS_AT_ONCE):
            some = points[first : first + POINTS_AT_ONCE]
            gone = AT_ONCE
            while gone == AT_ONCE:
                with transaction(self._engine, durable=False) as connection:
                    gone = connection.execute(_oldest(table, some, before, connection.dialect.name)).rowcount
                if gone:
                    yield

    def _forget_counts(self, horizons: Horizons) -> None:
        """Gaps go with the values beside them; those of a minute and more as late as its summary."""
        short = and_(GAPS.c.to_ms < horizons.values, GAPS.c.to_ms - GAPS.c.from_ms < MINUTE)
        with transaction(self._engine, durable=False) as connection:
            connection.execute(delete(KEPT).where(KEPT.c.t_ms < horizons.values))
            connection.execute(delete(GAPS).where(or_(short, GAPS.c.to_ms < horizons.minutes)))

    def _clear_nobodys(self, points: list[int]) -> Iterator[None]:
        """Points whose name is another's by now, or whose board was forgotten."""
        for table in (HISTORY, MINUTES, HOURS):
            yield from self._clear(table, points, FAR)
        with transaction(self._engine, durable=False) as connection:
            connection.execute(delete(POINTS).where(POINTS.c.id.in_(points), POINTS.c.name.is_(None)))

    def _give_back(self) -> Iterator[None]:
        """Make SQLite's file smaller when much of it is free; PostgreSQL's autovacuum needs no help."""
        if self._engine.dialect.name != "sqlite":
            return
        while True:
            with transaction(self._engine, durable=False) as connection:
                free, pages, can = (
                    connection.scalar(text(f"PRAGMA {name}")) or 0
                    for name in ("freelist_count", "page_count", "auto_vacuum")
                )
                if not can or free <= SPARE_PAGES + pages // 5:
                    return
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()  # each row is a page
            yield


def _adding(dialect: str, rows: list[dict[str, int]]) -> Executable:
    """A statement that adds to the counts of some minutes."""
    insert: Any = (postgresql if dialect == "postgresql" else sqlite).insert
    statement = insert(KEPT).values(rows)
    more: Executable = statement.on_conflict_do_update(
        index_elements=[KEPT.c.t_ms], set_={"count": KEPT.c.count + statement.excluded.count}
    )
    return more


def _oldest(table: Table, points: list[int], before: int, dialect: str) -> TextClause:
    """A statement that deletes some of the rows before a time."""
    name, some = table.name, ",".join(map(str, points))
    if dialect == "postgresql":
        rows = f"SELECT ctid FROM {name} WHERE point = ANY('{{{some}}}') AND t_ms < {before} LIMIT {AT_ONCE}"  # noqa: S608
        return text(f"DELETE FROM {name} WHERE ctid = ANY(ARRAY({rows}))")  # noqa: S608  (numbers of ours)
    rows = f"SELECT point, t_ms FROM {name} WHERE point IN ({some}) AND t_ms < {before} LIMIT {AT_ONCE}"  # noqa: S608
    return text(f"DELETE FROM {name} WHERE (point, t_ms) IN ({rows})")  # noqa: S608  (numbers of ours)
