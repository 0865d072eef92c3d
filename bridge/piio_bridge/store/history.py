"""History: one writer that batches, and buckets computed in SQL."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, func, select

from piio_bridge.data.record import Kept, Late
from piio_bridge.store import buckets, bulk
from piio_bridge.store.buckets import Bucket, Question
from piio_bridge.store.columns import Columns
from piio_bridge.store.database import StoreFailed, transaction
from piio_bridge.store.gaps import Gaps, Turn, mark_alive
from piio_bridge.store.log_file import LogFile
from piio_bridge.store.points import PointNumbers
from piio_bridge.store.retention import Keeping, Retention
from piio_bridge.store.summaries import Summaries
from piio_bridge.store.tables import GAPS, HISTORY, POINTS
from piio_bridge.store.waiting import Waiting

log = logging.getLogger(__name__)

MOST_GAPS = 200
"""Gaps of an answer, so that it fits into a message."""

BATCH = 20_000
"""Values of one transaction."""

CHANGES = 20_000
"""Changes of who vouches for what of one transaction."""

PAUSE = 0.5
"""Seconds between two commits: what a crash may cost."""

ALIVE = 10.0
"""Seconds between two notes that somebody sees to the points."""

TIDYING = 60.0
"""Seconds between two looks at whether something is too old."""

TIDYING_AT_ONCE = 0.2
"""Seconds that what is too old takes of the writer's time before it looks at what waits."""

ENDING = 5.0
"""Seconds in which what waits is to be written at the end."""


class History:
    """Keeps values; one thread of its own writes them. `with` is its lifetime."""

    def __init__(self, engine: Engine, keeping: Keeping | None = None) -> None:
        self._engine = engine
        self._waiting = Waiting()
        self._points = PointNumbers()
        self._gaps = Gaps(_now())
        self._alive = self._marked = 0
        self._summaries = Summaries(engine)
        self._retention = Retention(engine, keeping or Keeping())
        self._tidying: Iterator[None] = iter(())
        self._tidied = 0.0
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._asking = threading.Lock()
        """One question at a time: many at once would leave the bridge no processor, and SQLite's log no end."""
        self._log = LogFile(engine)
        self._thread = threading.Thread(target=self._run, name="piio history", daemon=True)

    def __enter__(self) -> "History":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(ENDING)
        if self.waiting:
            log.error("%d values of the history could not be written before the end", self.waiting)

    @property
    def dropped(self) -> int:
        """How many values, late ones and changes found no room."""
        return self._waiting.dropped

    @property
    def waiting(self) -> int:
        """How many values wait for the disk."""
        return self._waiting.values

    def keep(self, values: Sequence[Kept]) -> None:
        """Take values to be written soon; of two in one millisecond the later stays."""
        self._waiting.add_values(values)

    def begin_term(self) -> None:
        """From now on we lead: what happened before that is what the tables say."""
        with self._writing:
            self._gaps = Gaps(_now())
            self._alive = 0
            self._points.forget()
            self._summaries = Summaries(self._engine)

    def vouch(self, agent: str, point: str, t_ms: int, good: bool) -> None:
        """Take notice that a point's value is vouched for from then on, or is not."""
        self._waiting.add_change((agent, point, t_ms, good))

    def fill(self, agent: str, point: str, late: Sequence[Late]) -> None:
        """Take values that come afterwards; those that are in a gap are written soon."""
        self._waiting.add_late((agent, point, late))

    def alive(self, t_ms: int) -> None:
        """Until then somebody saw to all points; written now and then."""
        self._alive = t_ms

    def forget_ids(self) -> None:
        """Look points up anew: names have changed. What waits is written under the names before."""
        self.flush()
        self._points.forget()

    @contextmanager
    def leaving_out(self, agent: str) -> Iterator[None]:
        """Write nothing while a board is removed, and drop what waits of it: its points are no more."""
        with self._writing:
            yield
            self._waiting.drop(agent.__ne__)
            self._points.forget()

    def flush(self) -> None:
        """Write what waits now; StoreFailed if the database does not take it, which leaves it waiting."""
        with self._writing:
            self._write_values()
            self._write_changes()
            self._write_late()

    def tidy(self) -> bool:
        """Make the summaries that are due and let go some of what is too old; whether there is more of that."""
        with self._writing:
            if self._log.is_large:
                with self._asking:
                    self._log.write_back()
            self._summaries.make()
            if time.monotonic() - self._tidied > TIDYING:
                self._tidied = time.monotonic()
                self._tidying = self._retention.work()
            until = time.monotonic() + TIDYING_AT_ONCE
            return any(time.monotonic() > until for _ in self._tidying)

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
        with transaction(self._engine, reading=True) as connection:
            rows = connection.execute(query).all()
        return sorted((max(start_ms, begin) / 1000, min(end_ms, until) / 1000) for begin, until in rows)

    def buckets(self, agent: str, point: str, start: float, end: float, count: int) -> list[Bucket]:
        """Return at most `count` buckets between two Unix times; those without values are left out."""
        with suppress(StoreFailed):  # what is on disk can be told all the same
            self.flush()
        levels = (self._summaries.hours, self._summaries.minutes)
        question = Question(int(start * 1000), int(end * 1000), count, levels, self._retention.horizons)
        with self._asking, transaction(self._engine, reading=True) as connection:
            id = _id(connection, agent, point)
            return [] if id is None else buckets.read(connection, id, question)

    def last(self, agent: str, point: str) -> tuple[int, float] | None:
        """Return the newest value kept and its Unix milliseconds, None if there is none."""
        with transaction(self._engine, reading=True) as connection:
            id = _id(connection, agent, point)
            query = select(HISTORY.c.t_ms, HISTORY.c.value).where(HISTORY.c.point == id)
            row = connection.execute(query.order_by(HISTORY.c.t_ms.desc()).limit(1)).first()
        return (row.t_ms, row.value) if row else None

    def _run(self) -> None:
        complaint, said = "", 0
        over = more = False
        while not over:
            pause = 0 if more else PAUSE
            self._waiting.due = time.monotonic() + pause
            over = self._stopping.wait(pause)  # once more after the end: what waits is written
            try:
                self.flush()
                self._mark_alive(over)
                more = not over and self.tidy()
                complaint = ""
            except StoreFailed as error:
                more = False
                if str(error) != complaint:
                    complaint = str(error)
                    log.error("history waits in memory: %s", complaint)
            except Exception:
                more = False
                log.exception("the history's writer failed, and tries again")
            if self.dropped > said:
                said = self.dropped
                log.error("%d values of the history were dropped so far: the disk does not keep up", said)

    def _write_values(self) -> None:
        rows = self._waiting.take_values()
        for first in range(0, len(rows), BATCH):
            try:
                self._write(rows[first : first + BATCH])
            except BaseException:
                self._points.forget()
                self._waiting.put_back_values(rows[first:])
                raise

    def _write(self, rows: Sequence[Kept]) -> None:
        keys = [(agent, point) for agent, point, _, _ in rows]
        self._points.have(self._engine, keys)
        ids = [self._points[key] for key in keys]
        columns = Columns.of(ids, [row[2] for row in rows], [row[3] for row in rows], self._retention.horizons.values)
        write = bulk.writing(columns, self._engine.dialect.name)
        with transaction(self._engine, durable=False) as connection:  # a power cut may cost the last, and no more
            write(connection)
            self._retention.count(connection, columns.times)
        self._summaries.touch(columns.points, columns.times)

    def _write_changes(self) -> None:
        while changes := self._waiting.take_changes(CHANGES):
            try:
                self._points.have(self._engine, ((agent, point) for agent, point, _, _ in changes))
                turns = [Turn(self._points[agent, point], t_ms, good) for agent, point, t_ms, good in changes]
                self._gaps.look_up(self._engine)
                gaps = self._gaps.copy()
                with transaction(self._engine, durable=False) as connection:
                    gaps.take(connection, turns)
            except BaseException:
                self._points.forget()
                self._waiting.put_back_changes(changes)
                raise
            self._gaps = gaps

    def _write_late(self) -> None:
        while taken := self._waiting.first_late():
            agent, point, late = taken
            try:
                self._points.have(self._engine, [(agent, point)])
                id = self._points[agent, point]
                self._gaps.look_up(self._engine)
                with transaction(self._engine, durable=False) as connection:
                    values = self._gaps.fill(connection, id, late, _now())
                    times = list(values)
                    since = self._retention.horizons.values
                    columns = Columns.of([id] * len(times), times, list(values.values()), since)
                    bulk.writing(columns, self._engine.dialect.name)(connection)
                    self._retention.count(connection, columns.times)
            except BaseException:
                self._points.forget()
                self._gaps.forget_open()
                raise
            self._summaries.touch(columns.points, columns.times)
            self._waiting.late_is_done(taken)

    def _mark_alive(self, over: bool) -> None:
        """Write until when somebody saw to the points; at the end of all once more."""
        alive = self._alive
        if alive and (alive - self._marked >= ALIVE * 1000 or (over and alive > self._marked)):
            with self._writing, transaction(self._engine, durable=False) as connection:
                mark_alive(connection, alive)
            self._marked = alive


def _id(connection: Connection, agent: str, point: str) -> int | None:
    found: int | None = connection.scalar(select(POINTS.c.id).where(POINTS.c.agent == agent, POINTS.c.name == point))
    return found


def _now() -> int:
    return int(time.time() * 1000)
