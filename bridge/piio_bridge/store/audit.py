"""The audit trail: one writer that batches, bounded in memory and on disk."""

import logging
import threading
from collections import deque
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select

from piio_bridge.store.database import StoreFailed, transaction
from piio_bridge.store.tables import AUDIT
from piio_schemas.audit import AuditEntry, AuditRequest

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Entries that may wait for the disk; the oldest are dropped and counted."""

MOST_KEPT = 100_000
"""Entries on disk; the oldest go."""

PAUSE = 0.5
"""Seconds between two commits: with the time that one takes, what a killed bridge may lose."""


class Audit:
    """Keeps entries; one thread of its own writes them: no set ever waits for the disk. `with` is its lifetime."""

    def __init__(self, engine: Engine, most_kept: int = MOST_KEPT) -> None:
        self._engine = engine
        self._most_kept = most_kept
        self._waiting: deque[AuditEntry] = deque()
        self._handing = threading.Lock()
        """Held for no longer than it takes to move what waits from hand to hand."""
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="piio audit", daemon=True)
        self.dropped = 0

    def __enter__(self) -> "Audit":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(5)

    def keep(self, entry: AuditEntry) -> None:
        """Take an entry to be written soon, which gives it its number; it never waits for the disk."""
        with self._handing:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(entry)

    def flush(self) -> None:
        """Write what waits now; StoreFailed if the database does not take it, which leaves it waiting."""
        with self._writing:
            with self._handing:
                entries = list(self._waiting)
                self._waiting.clear()
            if not entries:
                return
            try:
                with transaction(self._engine) as connection:
                    self._write(connection, entries)
            except StoreFailed:
                self._put_back(entries)
                raise

    def entries(self, board: str | None, wanted: AuditRequest) -> list[AuditEntry]:
        """Return the newest entries that are wanted, newest first; those of all boards are each board's, too."""
        with suppress(StoreFailed):  # what is on disk can be told all the same
            self.flush()
        query = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(wanted.limit)
        for condition in _conditions(board, wanted):
            query = query.where(condition)
        with transaction(self._engine, reading=True) as connection:
            return [_entry(row) for row in connection.execute(query)]

    def _write(self, connection: Connection, entries: list[AuditEntry]) -> None:
        new = [_row(entry) for entry in entries if not _is_known(connection, entry)]
        if new:
            connection.execute(insert(AUDIT), new)
            newest = connection.scalar(select(func.max(AUDIT.c.number))) or 0
            connection.execute(delete(AUDIT).where(AUDIT.c.number <= newest - self._most_kept))

    def _put_back(self, entries: list[AuditEntry]) -> None:
        with self._handing:
            too_many = max(0, len(entries) + len(self._waiting) - MOST_WAITING)
            self.dropped += too_many
            self._waiting.extendleft(reversed(entries[too_many:]))

    def _run(self) -> None:
        complaint, said = "", 0
        over = False
        while not over:
            over = self._stopping.wait(PAUSE)  # once more after the end: what waits is written
            try:
                self.flush()
                complaint = ""
            except StoreFailed as error:
                if str(error) != complaint:
                    complaint = str(error)
                    log.error("the audit trail waits in memory: %s", complaint)
            if self.dropped > said:
                said = self.dropped
                log.error("%d entries of the audit trail were dropped so far: the disk does not keep up", said)


def _conditions(board: str | None, wanted: AuditRequest) -> list[Any]:
    found: list[Any] = []
    if board is not None:
        found.append((AUDIT.c.board == board) | AUDIT.c.board.is_(None))
    for column, value in ((AUDIT.c.point, wanted.point), (AUDIT.c.by, wanted.person)):
        if value is not None:
            found.append(column == value)
    if wanted.start is not None:
        found.append(AUDIT.c.t_ms >= int(wanted.start * 1000))
    if wanted.end is not None:
        found.append(AUDIT.c.t_ms < int(wanted.end * 1000))
    if wanted.before is not None:
        found.append(AUDIT.c.number < wanted.before)
    return found


def _is_known(connection: Connection, entry: AuditEntry) -> bool:
    """Whether a fail-safe is written already: a board tells its newest again to a bridge that has just started."""
    if entry.what != "fail_safe":
        return False
    mine = (AUDIT.c.what == entry.what, AUDIT.c.board == entry.board, AUDIT.c.point == entry.point)
    return connection.scalar(select(AUDIT.c.number).where(*mine, AUDIT.c.id == entry.id).limit(1)) is not None


def _row(entry: AuditEntry) -> dict[str, Any]:
    fields = {name: getattr(entry, name) for name in entry.__struct_fields__ if name not in ("number", "time")}
    return {**fields, "t_ms": round(entry.time * 1000)}


def _entry(row: Any) -> AuditEntry:
    fields = dict(row._mapping)
    return AuditEntry(time=fields.pop("t_ms") / 1000, **fields)
