"""Gaps in the history: from when to when nobody vouched for the value of a point."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select

from piio_bridge.data.record import Late
from piio_bridge.store.bulk import carry_out
from piio_bridge.store.database import all_at_once, transaction
from piio_bridge.store.tables import ALIVE, GAPS, HISTORY, POINTS

SEAM = 1000
"""Milliseconds; what is left of a gap that was filled is none if it is shorter."""

_PUT = (
    "INSERT INTO gaps (point, from_ms, to_ms) "
    "SELECT CAST({0} AS BIGINT), CAST({1} AS BIGINT), CAST({2} AS BIGINT) FROM {rows} WHERE true "
    "ON CONFLICT (point, from_ms) DO UPDATE SET to_ms = excluded.to_ms"
)

_REMOVE = "DELETE FROM gaps WHERE (point, from_ms) IN (SELECT CAST({0} AS BIGINT), CAST({1} AS BIGINT) FROM {rows})"

Span = tuple[int, int]
"""Unix milliseconds from and to."""


class Turn(NamedTuple):
    """From a time on somebody vouches for a point, or nobody does."""

    point: int
    t_ms: int
    good: bool


class Gaps:
    """One term of writing them, inside the transactions of the history's writer; points are named by their id.

    What was before this term, until somebody vouches for a point again, is a gap, too.
    """

    def __init__(self, began_ms: int) -> None:
        self._began = began_ms
        self._knows_open = self._knows_since = False
        self._open: dict[int, int] = {}
        """Since when the gaps of points are open."""
        self._since: dict[int, int] = {}
        """When points that nothing was said of in this term were seen to last."""

    def copy(self) -> "Gaps":
        """The same, for a transaction that may fail."""
        other = Gaps(self._began)
        other._knows_open, other._open = self._knows_open, self._open.copy()
        other._knows_since, other._since = self._knows_since, self._since.copy()
        return other

    def forget_open(self) -> None:
        """Look up anew which are open: a transaction that changed some has failed."""
        self._knows_open = False

    def look_up(self, engine: Engine) -> None:
        """Know what was before, if that is not known yet; first of all; nobody is locked out meanwhile."""
        if not (self._knows_open and self._knows_since):
            with transaction(engine, reading=True) as connection:
                self._open = self._open if self._knows_open else _all_open(connection)
                self._since = self._since if self._knows_since else _all_since(connection, self._began)
            self._knows_open = self._knows_since = True

    def take(self, connection: Connection, turns: Sequence[Turn]) -> None:
        """Write down who is vouched for no longer, or again: thousands in a few statements, whatever their number."""
        begun, since = self._open, self._since
        changed: dict[tuple[int, int], int | None] = {}
        gone: set[tuple[int, int]] = set()
        for point, t_ms, good in turns:
            begin = since.pop(point, t_ms)
            if good:
                if point in begun:
                    begin = begun.pop(point)
                    changed.pop((point, begin), None)
                    gone.add((point, begin))
                if begin < t_ms:
                    changed[point, begin] = t_ms
            elif point not in begun:
                begun[point] = begin = min(begin, t_ms)
                changed[point, begin] = None
        carry_out(connection, _REMOVE, gone - changed.keys())
        carry_out(connection, _PUT, [(*key, to_ms) for key, to_ms in changed.items()])

    def fill(self, connection: Connection, point: int, late: Sequence[Late], now_ms: int) -> dict[int, float]:
        """Close what late values vouch for, and return those that are in a gap, by their time."""
        found: dict[int, float] = {}
        begun = self._open
        for row in _within(connection, point, late[0][0], late[-1][0]):
            begin, end = row.from_ms, now_ms if row.to_ms is None else row.to_ms
            found |= {at: value for at, value in late if value is not None and begin < at < end}
            left_over = list(_without((begin, end), _vouched(late)))
            carry_out(connection, _REMOVE, [(point, begin)])
            if row.to_ms is None:
                begun.pop(point, None)
            for left, right in left_over:
                ends_open = row.to_ms is None and right == end
                if ends_open or right - left >= SEAM:
                    carry_out(connection, _PUT, [(point, left, None if ends_open else right)])
                if ends_open:
                    begun[point] = left
        return found


def _all_open(connection: Connection) -> dict[int, int]:
    """Since when the gaps of points are open."""
    query = select(GAPS.c.point, GAPS.c.from_ms).where(GAPS.c.to_ms.is_(None))
    return dict(all_at_once(connection, query))


def _all_since(connection: Connection, before_ms: int) -> dict[int, int]:
    """When points were last seen to before a time; those without a value are left out."""
    alive = connection.scalar(select(func.max(ALIVE.c.t_ms))) or 0
    of_point = (HISTORY.c.point == POINTS.c.id, HISTORY.c.t_ms < before_ms)
    last = select(func.max(HISTORY.c.t_ms)).where(*of_point).scalar_subquery()
    found = all_at_once(connection, select(POINTS.c.id, last.label("t_ms")))
    return {point: max(alive, t_ms) for point, t_ms in found if t_ms is not None}


def mark_alive(connection: Connection, t_ms: int) -> None:
    """Write down until when points were seen to, for whoever comes after a crash."""
    connection.execute(delete(ALIVE))
    connection.execute(insert(ALIVE).values(t_ms=t_ms))


def _within(connection: Connection, point: int, start: int, end: int) -> Sequence[Row[Any, Any]]:
    query = select(GAPS.c.from_ms, GAPS.c.to_ms).where(GAPS.c.point == point, GAPS.c.from_ms < end)
    return connection.execute(query.where(GAPS.c.to_ms.is_(None) | (GAPS.c.to_ms > start))).all()


def _vouched(late: Sequence[Late]) -> Iterator[Span]:
    """The spans that late values vouch for: from one to the next, where there is one."""
    begin: int | None = None
    for at, value in late:
        if value is None and begin is not None:
            yield begin, at
            begin = None
        elif value is not None and begin is None:
            begin = at
    if begin is not None:
        yield begin, late[-1][0]


def _without(gap: Span, vouched: Iterable[Span]) -> Iterator[Span]:
    """What is left of a gap."""
    left, end = gap
    for begin, until in vouched:
        if left < min(begin, end):
            yield left, min(begin, end)
        left = max(left, until)
    if left < end:
        yield left, end
