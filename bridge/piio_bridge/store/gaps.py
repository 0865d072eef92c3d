"""Gaps in the history: from when to when nobody vouched for the value of a point."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Row, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from piio_bridge.data.record import Late
from piio_bridge.store.tables import ALIVE, GAPS, HISTORY, POINTS

SEAM = 1000
"""Milliseconds; what is left of a gap that was filled is none if it is shorter."""

AT_ONCE = 500
"""Points of one statement."""

Thing = TypeVar("Thing")

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
        self._known: set[int] = set()
        self._alive: int | None = None

    def copy(self) -> "Gaps":
        """The same, for a transaction that may fail."""
        other = Gaps(self._began)
        other._known, other._alive = set(self._known), self._alive
        return other

    def take(self, transaction: Connection, turns: Sequence[Turn]) -> None:
        """Write down who is vouched for no longer, or again: thousands in a few statements, whatever their number."""
        points = {turn.point for turn in turns}
        begun = _all_open(transaction, points)
        since = self._all_since(transaction, points)
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
        _remove_all(transaction, gone - changed.keys())
        _put_all(transaction, changed)

    def fill(self, transaction: Connection, point: int, late: Sequence[Late], now_ms: int) -> dict[int, float]:
        """Close what late values vouch for, and return those that are in a gap, by their time."""
        found: dict[int, float] = {}
        for row in _within(transaction, point, late[0][0], late[-1][0]):
            begin, end = row.from_ms, now_ms if row.to_ms is None else row.to_ms
            found |= {at: value for at, value in late if value is not None and begin < at < end}
            _remove(transaction, point, begin)
            for left, right in _without((begin, end), _vouched(late)):
                ends_open = row.to_ms is None and right == end
                if ends_open or right - left >= SEAM:
                    _put(transaction, point, left, None if ends_open else right)
        return found

    def _all_since(self, transaction: Connection, points: set[int]) -> dict[int, int]:
        """When points were last seen to, if that was before this term; the others are left out."""
        if self._alive is None:
            self._alive = transaction.scalar(select(func.max(ALIVE.c.t_ms))) or 0
        found: dict[int, int] = {}
        for some in _by_the(points - self._known):
            before = select(func.max(HISTORY.c.t_ms)).where(
                HISTORY.c.point == POINTS.c.id, HISTORY.c.t_ms < self._began
            )
            query = select(POINTS.c.id, before.scalar_subquery()).where(POINTS.c.id.in_(some))
            rows = transaction.execute(query).all()
            found |= {point: max(self._alive, t_ms) for point, t_ms in rows if t_ms is not None}
        self._known |= points
        return found


def mark_alive(transaction: Connection, t_ms: int) -> None:
    """Write down until when points were seen to, for whoever comes after a crash."""
    transaction.execute(delete(ALIVE))
    transaction.execute(insert(ALIVE).values(t_ms=t_ms))


def _all_open(transaction: Connection, points: set[int]) -> dict[int, int]:
    """Since when the gaps of points are open; those without one are left out."""
    found: dict[int, int] = {}
    for some in _by_the(points):
        query = select(GAPS.c.point, GAPS.c.from_ms).where(GAPS.c.point.in_(some), GAPS.c.to_ms.is_(None))
        found |= {row.point: row.from_ms for row in transaction.execute(query)}
    return found


def _within(transaction: Connection, point: int, start: int, end: int) -> Sequence[Row[Any, Any]]:
    query = select(GAPS.c.from_ms, GAPS.c.to_ms).where(GAPS.c.point == point, GAPS.c.from_ms < end)
    return transaction.execute(query.where(GAPS.c.to_ms.is_(None) | (GAPS.c.to_ms > start))).all()


def _put(transaction: Connection, point: int, begin: int, end: int | None) -> None:
    key = (GAPS.c.point == point, GAPS.c.from_ms == begin)
    if not transaction.execute(update(GAPS).where(*key).values(to_ms=end)).rowcount:
        transaction.execute(insert(GAPS).values(point=point, from_ms=begin, to_ms=end))


def _remove(transaction: Connection, point: int, begin: int) -> None:
    transaction.execute(delete(GAPS).where(GAPS.c.point == point, GAPS.c.from_ms == begin))


def _put_all(transaction: Connection, gaps: Mapping[tuple[int, int], int | None]) -> None:
    dialect: Any = postgresql if transaction.dialect.name == "postgresql" else sqlite
    for some in _by_the(gaps):
        rows = [{"point": point, "from_ms": begin, "to_ms": gaps[point, begin]} for point, begin in some]
        statement = dialect.insert(GAPS).values(rows)
        key = [GAPS.c.point, GAPS.c.from_ms]
        transaction.execute(
            statement.on_conflict_do_update(index_elements=key, set_={"to_ms": statement.excluded.to_ms})
        )


def _remove_all(transaction: Connection, gaps: Iterable[tuple[int, int]]) -> None:
    for some in _by_the(gaps):
        transaction.execute(delete(GAPS).where(tuple_(GAPS.c.point, GAPS.c.from_ms).in_(some)))


def _by_the(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Yield them, as many at a time as a statement takes."""
    rest = iter(things)
    while some := list(islice(rest, AT_ONCE)):
        yield some


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
