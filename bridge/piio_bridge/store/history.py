"""History: one writer that batches, and buckets computed in SQL."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from piio_bridge.data.record import Kept, Late
from piio_bridge.store.gaps import Gaps, mark_alive
from piio_bridge.store.tables import GAPS, HISTORY, POINTS

log = logging.getLogger(__name__)

MOST_WAITING = 200_000
"""Values that may wait for the disk; the oldest are dropped and counted."""

MOST_LATE = 200_000
"""Late values that may wait likewise."""

MOST_CHANGES = 50_000
"""Changes of who vouches for what, likewise."""

MOST_GAPS = 200
"""Gaps of an answer, so that it fits into a message."""

BATCH = 5_000
PAUSE = 0.5
"""Seconds between two commits: what a crash may cost."""

ALIVE = 10.0
"""Seconds between two notes that somebody sees to the points."""

Row = tuple[str, str, int, float]
"""Agent, point, Unix milliseconds, value."""

Change = tuple[str, str, int, bool]
"""Agent, point, Unix milliseconds, whether its value is vouched for from then on."""

Bucket = tuple[float, float, float, float]
"""Unix seconds of its begin, least, greatest and mean value."""


class History:
    """Keeps values; one thread of its own writes them. `with` is its lifetime."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(durable=False)  # a power cut may cost the last values, and no more
        self._reader = engine.execution_options(reading=True)
        self._waiting: deque[Row] = deque()
        self._changes: deque[Change] = deque()
        self._late: deque[tuple[str, str, Sequence[Late]]] = deque()
        self._late_count = 0
        self._counting = threading.Lock()
        self._gaps = Gaps(_now())
        self._alive = self._marked = 0
        self._ids: dict[tuple[str, str], int] = {}
        self._changed = threading.Event()
        self._stopping = False
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="piio history", daemon=True)
        self.dropped = 0

    def __enter__(self) -> "History":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._changed.set()
        self._thread.join(5)

    def keep(self, values: Sequence[Kept]) -> None:
        """Take values to be written soon; of two in one millisecond the later stays."""
        self._waiting.extend(values)
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1

    def begin_term(self) -> None:
        """From now on we lead: what happened before that is what the tables say."""
        with self._writing:
            self._gaps = Gaps(_now())
            self._alive = 0

    def vouch(self, agent: str, point: str, t_ms: int, good: bool) -> None:
        """Take notice that a point's value is vouched for from then on, or is not."""
        if len(self._changes) >= MOST_CHANGES:
            self._changes.popleft()
            self.dropped += 1
        self._changes.append((agent, point, t_ms, good))

    def fill(self, agent: str, point: str, late: Sequence[Late]) -> None:
        """Take values that come afterwards; those that are in a gap are written soon."""
        with self._counting:
            self._late.append((agent, point, late))
            self._late_count += len(late)
            while self._late_count > MOST_LATE and self._late:
                count = len(self._late.popleft()[2])
                self._late_count -= count
                self.dropped += count

    def alive(self, t_ms: int) -> None:
        """Until then somebody saw to all points; written now and then."""
        self._alive = t_ms

    def forget_ids(self) -> None:
        """Look points up anew: names have changed. What waits is written under the names before."""
        self.flush()
        self._ids.clear()

    @contextmanager
    def leaving_out(self, agent: str) -> Iterator[None]:
        """Write nothing while a board is removed, and drop what waits of it: its points are no more."""
        with self._writing:
            yield
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            self._waiting.extendleft(row for row in reversed(waiting) if row[0] != agent)
            changes = [self._changes.popleft() for _ in range(len(self._changes))]
            self._changes.extendleft(change for change in reversed(changes) if change[0] != agent)
            self._ids.clear()

    def flush(self) -> None:
        """Write what waits now."""
        with self._writing:
            while self._waiting:
                rows = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                self._write(rows)
            self._write_changes()
            self._write_late()

    def gaps(self, agent: str, point: str, start: float, end: float, shortest: float) -> list[tuple[float, float]]:
        """Return the longest gaps between two Unix times, by time; at most 200, none shorter than so many seconds."""
        start_ms, end_ms = int(start * 1000), int(end * 1000)
        to_ms = func.coalesce(GAPS.c.to_ms, end_ms)
        query = (
            select(GAPS.c.from_ms, to_ms.label("to_ms"))
            .join(POINTS, POINTS.c.id == GAPS.c.point)
            .where(POINTS.c.agent == agent, POINTS.c.name == point)
            .where(GAPS.c.from_ms < end_ms, to_ms > start_ms, to_ms - GAPS.c.from_ms >= shortest * 1000)
            .order_by((to_ms - GAPS.c.from_ms).desc())
            .limit(MOST_GAPS)
        )
        with self._reader.connect() as connection:
            rows = connection.execute(query).all()
        return sorted((max(start_ms, begin) / 1000, min(end_ms, until) / 1000) for begin, until in rows)

    def buckets(self, agent: str, point: str, start: float, end: float, count: int) -> list[Bucket]:
        """Return at most `count` buckets between two Unix times; those without values are left out."""
        self.flush()
        start_ms, end_ms = int(start * 1000), int(end * 1000)
        width = max(1, -(-(end_ms - start_ms) // count))
        number = ((HISTORY.c.t_ms - start_ms) // width).label("number")
        query = (
            select(number, func.min(HISTORY.c.value), func.max(HISTORY.c.value), func.avg(HISTORY.c.value))
            .join(POINTS, POINTS.c.id == HISTORY.c.point)
            .where(POINTS.c.agent == agent, POINTS.c.name == point)
            .where(HISTORY.c.t_ms >= start_ms, HISTORY.c.t_ms < end_ms)
            .group_by(number)
            .order_by(number)
        )
        with self._reader.connect() as connection:
            rows = connection.execute(query).all()
        return [((start_ms + int(n) * width) / 1000, low, high, mean) for n, low, high, mean in rows]

    def last(self, agent: str, point: str) -> tuple[int, float] | None:
        """Return the newest value kept and its Unix milliseconds, None if there is none."""
        query = (
            select(HISTORY.c.t_ms, HISTORY.c.value)
            .join(POINTS, POINTS.c.id == HISTORY.c.point)
            .where(POINTS.c.agent == agent, POINTS.c.name == point)
            .order_by(HISTORY.c.t_ms.desc())
            .limit(1)
        )
        with self._reader.connect() as connection:
            row = connection.execute(query).first()
        return (row.t_ms, row.value) if row else None

    def _run(self) -> None:
        complaint, said = "", 0
        while not self._stopping:
            self._changed.wait(PAUSE)
            try:
                self.flush()
                self._mark_alive()
                complaint = ""
            except SQLAlchemyError as error:
                if str(error) != complaint:
                    complaint = str(error)
                    log.error("history cannot be written: %s", getattr(error, "orig", error))
            if self.dropped > said:
                said = self.dropped
                log.error("%d values of the history were dropped so far: the disk does not keep up", said)

    def _write(self, rows: list[Row]) -> None:
        try:
            with self._engine.begin() as transaction:
                values = {(self._id(transaction, agent, point), t_ms): value for agent, point, t_ms, value in rows}
                documents = [{"point": id, "t_ms": t_ms, "value": value} for (id, t_ms), value in values.items()]
                transaction.execute(self._upsert(), documents)
        except SQLAlchemyError:
            self._ids.clear()
            self._waiting.extendleft(reversed(rows))
            raise

    def _write_changes(self) -> None:
        while self._changes:
            changes = [self._changes.popleft() for _ in range(min(BATCH, len(self._changes)))]
            gaps = self._gaps.copy()
            try:
                with self._engine.begin() as transaction:
                    for agent, point, t_ms, good in changes:
                        turn = gaps.end if good else gaps.begin
                        turn(transaction, self._id(transaction, agent, point), t_ms)
                self._gaps = gaps
            except SQLAlchemyError:
                self._ids.clear()
                self._changes.extendleft(reversed(changes))
                raise

    def _write_late(self) -> None:
        while self._late:
            agent, point, late = taken = self._late.popleft()
            try:
                with self._engine.begin() as transaction:
                    id = self._id(transaction, agent, point)
                    values = self._gaps.fill(transaction, id, late, _now())
                    if values:
                        documents = [{"point": id, "t_ms": t_ms, "value": value} for t_ms, value in values.items()]
                        transaction.execute(self._upsert(), documents)
            except SQLAlchemyError:
                self._ids.clear()
                self._late.appendleft(taken)
                raise
            with self._counting:
                self._late_count -= len(late)

    def _mark_alive(self) -> None:
        """Write until when somebody saw to the points; at the end of all once more."""
        alive = self._alive
        if alive and (alive - self._marked >= ALIVE * 1000 or (self._stopping and alive > self._marked)):
            with self._writing, self._engine.begin() as transaction:
                mark_alive(transaction, alive)
            self._marked = alive

    def _upsert(self) -> Any:
        dialect: Any = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(HISTORY)
        return statement.on_conflict_do_update(
            index_elements=[HISTORY.c.point, HISTORY.c.t_ms], set_={"value": statement.excluded.value}
        )

    def _id(self, transaction: Any, agent: str, point: str) -> int:
        key = (agent, point)
        if key not in self._ids:
            found = transaction.scalar(select(POINTS.c.id).where(POINTS.c.agent == agent, POINTS.c.name == point))
            if found is None:
                found = transaction.execute(insert(POINTS).values(agent=agent, name=point)).inserted_primary_key[0]
            self._ids[key] = found
        return self._ids[key]


def _now() -> int:
    return int(time.time() * 1000)
