"""Gaps in the history: from when to when nobody vouched for the value of a point."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from piio_bridge.data.record import Late
from piio_bridge.store.tables import ALIVE, GAPS, HISTORY

SEAM = 1000
"""Milliseconds; what is left of a gap that was filled is none if it is shorter."""

Span = tuple[int, int]
"""Unix milliseconds from and to."""


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

    def begin(self, transaction: Connection, point: int, t_ms: int) -> None:
        """From now on nobody vouches for a point."""
        since = min(t_ms, self._since(transaction, point, t_ms))
        if _open(transaction, point) is None:
            _put(transaction, point, since, None)

    def end(self, transaction: Connection, point: int, t_ms: int) -> None:
        """Somebody does again."""
        since = self._since(transaction, point, t_ms)
        begun = _open(transaction, point)
        if begun is not None:
            since = begun
            _remove(transaction, point, begun)
        if since < t_ms:
            _put(transaction, point, since, t_ms)

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

    def _since(self, transaction: Connection, point: int, t_ms: int) -> int:
        """When a point was last seen to, if that was before this term; else now."""
        if self._alive is None:
            self._alive = transaction.scalar(select(func.max(ALIVE.c.t_ms))) or 0
        if point in self._known:
            return t_ms
        self._known.add(point)
        before = (HISTORY.c.point == point, HISTORY.c.t_ms < self._began)
        newest = transaction.scalar(select(func.max(HISTORY.c.t_ms)).where(*before))
        return t_ms if newest is None else max(self._alive, newest)


def mark_alive(transaction: Connection, t_ms: int) -> None:
    """Write down until when points were seen to, for whoever comes after a crash."""
    transaction.execute(delete(ALIVE))
    transaction.execute(insert(ALIVE).values(t_ms=t_ms))


def _open(transaction: Connection, point: int) -> int | None:
    query = select(GAPS.c.from_ms).where(GAPS.c.point == point, GAPS.c.to_ms.is_(None))
    found: int | None = transaction.scalar(query)
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
