"""A point's history in buckets, read from as few rows as tell it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select, union_all

from piio_bridge.store.database import all_at_once
from piio_bridge.store.retention import Horizons
from piio_bridge.store.summaries import HOUR, MINUTE, Level
from piio_bridge.store.tables import HISTORY, HOURS, MINUTES

FINE = 4
"""So many summaries at least make a bucket: a bucket begins and ends with one."""

Bucket = tuple[float, float, float, float]
"""Unix seconds of its begin, least, greatest and mean value."""

Part = tuple[Table, int, int]
"""What is read from where: Unix milliseconds from and to."""


class Question:
    """What is asked: a span of Unix milliseconds in at most so many buckets, and by which levels it can be told."""

    def __init__(self, start: int, end: int, count: int, levels: Sequence[Level], horizons: Horizons) -> None:
        self.start, self.end = start, end
        self._horizons = horizons
        self._levels = [level for level in levels if level.width * FINE * count <= end - start]
        unit = max((level.width for level in self._levels), default=1)
        self.origin = start // unit * unit
        self.width = max(1, -(-(end - self.origin) // (count * unit))) * unit
        """Milliseconds of a bucket."""

    def parts(self) -> Iterator[Part]:
        """What is read from where: of each time the coarsest that is fine enough, or the finest that is left."""
        begin = self.start
        oldest = ((HOURS, HOUR, self._horizons.minutes), (MINUTES, MINUTE, self._horizons.values))
        for finest, width, end in (*oldest, (HISTORY, 0, self.end)):
            if begin < (end := min(end, self.end)):
                coarser = [level for level in self._levels if level.width > width]
                yield from self._split(coarser, finest, begin, end)
                begin = end

    def _split(self, levels: Sequence[Level], finest: Table, start: int, end: int) -> Iterator[Part]:
        if start >= end:
            return
        if not levels:
            yield finest, start, end
            return
        level, *finer = levels
        first = -(-start // level.width) * level.width
        last = min(end, level.until) // level.width * level.width
        if first >= last:
            yield from self._split(finer, finest, start, end)
            return
        yield from self._split(finer, finest, start, first)
        yield level.table, first, last
        yield from self._split(finer, finest, last, end)


def read(connection: Connection, point: int, question: Question) -> list[Bucket]:
    """Return the buckets that have values."""
    queries = [_of_part(point, question, *part) for part in question.parts()]
    if not queries:
        return []
    each = union_all(*queries).subquery()
    mean = func.sum(each.c.total) / func.sum(each.c.count)
    found: tuple[Any, ...] = (func.min(each.c.low), func.max(each.c.high), mean)
    if connection.dialect.name == "sqlite":  # its JSON has no more than 15 digits
        found = tuple(func.printf("%!.17g", number) for number in found)
    query = select(each.c.number, *(number.label(f"n{n}") for n, number in enumerate(found)))
    rows = sorted(all_at_once(connection, query.group_by(each.c.number)))
    origin, width = question.origin, question.width
    return [(max(question.start, origin + n * width) / 1000, *map(float, found)) for n, *found in rows]


def _of_part(point: int, question: Question, table: Table, start: int, end: int) -> Select[tuple[int, ...]]:
    column = table.c
    number = ((column.t_ms - question.origin) // question.width).label("number")
    if table is HISTORY:
        found: tuple[Any, ...] = (func.min(column.value), func.max(column.value), func.sum(column.value), func.count())
    else:
        total = func.sum(column.mean * column.count)
        found = (func.min(column.low), func.max(column.high), total, func.sum(column.count))
    names = ("low", "high", "total", "count")
    labelled = [each.label(name) for each, name in zip(found, names, strict=True)]
    query = select(number, *labelled).where(column.point == point, column.t_ms >= start, column.t_ms < end)
    return query.group_by(number)
