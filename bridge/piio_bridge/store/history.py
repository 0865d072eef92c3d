"""History: one writer that batches, and buckets computed in SQL."""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from piio_bridge.store.tables import HISTORY, POINTS

log = logging.getLogger(__name__)

MOST_WAITING = 200_000
"""Values that may wait for the disk; the oldest are dropped and counted."""

BATCH = 5_000
PAUSE = 0.5
"""Seconds between two commits: what a crash may cost."""

Row = tuple[str, str, int, float]
"""Agent, point, Unix milliseconds, value."""

Bucket = tuple[float, float, float, float]
"""Unix seconds of its begin, least, greatest and mean value."""


class History:
    """Keeps values; one thread of its own writes them. `with` is its lifetime."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(durable=False)  # a power cut may cost the last values, and no more
        self._reader = engine.execution_options(reading=True)
        self._waiting: deque[Row] = deque()
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

    def keep(self, agent: str, point: str, t_ms: int, value: float) -> None:
        """Take a value to be written soon; of two in one millisecond the later stays."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append((agent, point, t_ms, value))

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
            self._ids.clear()

    def flush(self) -> None:
        """Write what waits now."""
        with self._writing:
            while self._waiting:
                rows = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                self._write(rows)

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
        complaint = ""
        while not self._stopping:
            self._changed.wait(PAUSE)
            try:
                self.flush()
                complaint = ""
            except SQLAlchemyError as error:
                if str(error) != complaint:
                    complaint = str(error)
                    log.error("history cannot be written: %s", getattr(error, "orig", error))

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
