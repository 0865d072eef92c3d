"""Least, greatest and mean value of each minute and hour, beside the values: what a month or a year is read from.

They are computed in SQL when their time is over, from what is in the tables, and as often as that changes: doing it
once more does no harm. So a crash loses nothing of them: who comes after it computes each point's last one anew.
"""

import time
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain

import numpy as np
from sqlalchemy import Connection, Engine, Table, func, select

from piio_bridge.store.columns import Integers
from piio_bridge.store.database import all_at_once, transaction
from piio_bridge.store.tables import HISTORY, HOURS, MINUTES, POINTS

AT_ONCE = 512
"""Summaries of one transaction: others must not wait long for their turn."""

MINUTE, HOUR = 60_000, 3_600_000
"""Milliseconds."""

FAR = 1 << 60

Span = tuple[int, int, int]
"""Of a point: Unix milliseconds from and to."""

_OF_VALUES = "min(h.value), max(h.value), avg(h.value), count(*)"
_OF_SUMMARIES = "min(h.low), max(h.high), sum(h.mean * h.count) / sum(h.count), sum(h.count)"


class Level:
    """One kind of summaries: how long each is, of what it is made, and which are to be made."""

    def __init__(self, table: Table, source: Table, width: int) -> None:
        self.table = table
        self.source = source
        self.width = width
        """Milliseconds."""
        self.until = 0
        """Unix milliseconds before which all are made, as far as somebody has looked."""
        self._due = np.empty(0, np.int64)

    def touch(self, points: Integers, times: Integers) -> None:
        """Values of these points at these Unix milliseconds are new."""
        if len(points):
            self._due = np.union1d(self._due, points << 32 | times // self.width)
            self.until = min(self.until, int((self._due & 0xFFFFFFFF).min()) * self.width)

    def make(self, engine: Engine, now_ms: int) -> Iterator[tuple[Integers, Integers]]:
        """Make all whose time is over; whose they are and when they begin, some in each transaction."""
        over = self._due[(self._due & 0xFFFFFFFF) < now_ms // self.width]
        for first in range(0, len(over), AT_ONCE):
            part = over[first : first + AT_ONCE]
            points, times = part >> 32, (part & 0xFFFFFFFF) * self.width
            with transaction(engine, durable=False) as connection:
                spans = list(zip(points.tolist(), times.tolist(), (times + self.width).tolist(), strict=True))
                _summarize(connection, self, spans)
            self._due = np.setdiff1d(self._due, part, assume_unique=True)
            yield points, times
        left = (self._due & 0xFFFFFFFF) * self.width
        self.until = min(now_ms // self.width * self.width, int(left.min()) if len(left) else now_ms)

    def make_last(self, engine: Engine) -> None:
        """Make the last of each point anew, and what is missing after it."""
        last = select(func.max(self.table.c.t_ms)).where(self.table.c.point == POINTS.c.id).scalar_subquery()
        with transaction(engine, reading=True) as connection:
            found = all_at_once(connection, select(POINTS.c.id, last.label("last")))
        spans = [(point, begin or 0, FAR) for point, begin in found]
        for first in range(0, len(spans), AT_ONCE):
            with transaction(engine, durable=False) as connection:
                _summarize(connection, self, spans[first : first + AT_ONCE])


class Summaries:
    """Minutes of values and hours of minutes, made by the history's writer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.minutes = Level(MINUTES, HISTORY, MINUTE)
        self.hours = Level(HOURS, MINUTES, HOUR)
        self._known = False

    def touch(self, points: Integers, times: Integers) -> None:
        """Values of these points at these Unix milliseconds were written."""
        self.minutes.touch(points, times)

    def make(self, now_ms: int | None = None) -> None:
        """Make those whose time is over; StoreFailed leaves the others for the next time."""
        now_ms = int(time.time() * 1000) if now_ms is None else now_ms
        if not self._known:  # what was made before we led is what the tables say
            self.minutes.make_last(self._engine)
            self.hours.make_last(self._engine)
            self._known = True
        for points, times in self.minutes.make(self._engine, now_ms):
            self.hours.touch(points, times)
        for _ in self.hours.make(self._engine, now_ms):
            pass


def _summarize(connection: Connection, level: Level, spans: Sequence[Span]) -> None:
    """Make the summaries of some spans, in the place of those that are there."""
    aggregates = _OF_VALUES if level.source is HISTORY else _OF_SUMMARIES
    names = (level.table.name, level.source.name, level.width, aggregates)
    if connection.dialect.name == "postgresql":
        points, begins, ends = (list(column) for column in zip(*spans, strict=True))
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # whatever it believes of a table that is new
        connection.exec_driver_sql(_for_postgresql(*names), (points, begins, ends))
        return
    size = 1 << (len(spans) - 1).bit_length()  # of few sizes: SQLite has read them before
    padded = [*spans, *[(0, 0, 0)] * (size - len(spans))]
    connection.exec_driver_sql(_for_sqlite(*names, size), tuple(chain.from_iterable(padded)))


@cache
def _for_sqlite(table: str, source: str, width: int, aggregates: str, size: int) -> str:
    # CROSS JOIN: span by span, each found by the key.
    return (
        f"WITH span (point, since, until) AS (VALUES {','.join(['(?,?,?)'] * size)}) "  # noqa: S608  (names of ours)
        f"INSERT INTO {table} (point, t_ms, low, high, mean, count) "
        f"SELECT h.point, h.t_ms / {width} * {width}, {aggregates} FROM span CROSS JOIN {source} AS h "
        f"WHERE h.point = span.point AND h.t_ms >= span.since AND h.t_ms < span.until GROUP BY 1, 2 {_REPLACING}"
    )


@cache
def _for_postgresql(table: str, source: str, width: int, aggregates: str) -> str:
    # LATERAL: span by span, each found by the key, however many there are.
    return (
        f"INSERT INTO {table} (point, t_ms, low, high, mean, count) "  # noqa: S608  (names of ours)
        "SELECT made.* FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS span (point, since, until) "
        f"CROSS JOIN LATERAL (SELECT h.point, h.t_ms / {width} * {width}, {aggregates} FROM {source} AS h "
        f"WHERE h.point = span.point AND h.t_ms >= span.since AND h.t_ms < span.until GROUP BY 1, 2) AS made "
        f"{_REPLACING}"
    )


_REPLACING = (
    "ON CONFLICT (point, t_ms) DO UPDATE "
    "SET low = excluded.low, high = excluded.high, mean = excluded.mean, count = excluded.count"
)
