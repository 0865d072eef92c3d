"""Who leads: of all bridges that share a database, the one whose beat goes on in it."""

import logging
import secrets
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from piio.errors import PiioError
from piio.lock import FileLock
from piio_bridge.store.database import DatabaseError, StoreFailed, transaction
from piio_bridge.store.tables import IDENTITY, LEASE

log = logging.getLogger(__name__)

QUICK = 0.5
"""Seconds to wait for a locked database: that the lease cannot be renewed is to be noticed, not waited out."""

NOBODY = ""

SQLITE_FULL = 13


class Seen(Struct, frozen=True):
    """The lease as it was in one moment. While its holder lives it is never seen alike a second later."""

    holder: str
    beat: int
    locked: bool


class Held(Struct, frozen=True):
    """What who leads has to say of itself."""

    holder: str
    store: str
    epoch: int


class Lease:
    """The lease of one database. Every call is one transaction and blocks; StoreFailed where that cannot be had.

    No clock is stored and none is compared: who wants to lead watches the beat on a clock of its own. Beside SQLite's
    file a lock is held as well, which the kernel frees the moment its holder dies: then nobody has to watch anything.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._lock = FileLock(Path(f"{file}.leader"), busy="another bridge leads") if file else None
        self._has_lock = False
        self.store = self._prepare()
        """Which database this is."""

    def look(self) -> Seen:
        """Return how the lease is now."""
        with transaction(self._engine, reading=True, patience=QUICK) as connection:
            return _look(connection)

    def is_free(self, seen: Seen) -> bool:
        """Whether nobody can be leading: it was given back, or its holder is dead."""
        return seen.holder == NOBODY or (seen.locked and self._try_lock())

    def take(self, seen: Seen) -> Held | None:
        """Lead from now on, unless the lease has changed since it was seen: then somebody lives, or was faster."""
        self._try_lock()
        holder = secrets.token_hex(8)
        with transaction(self._engine, patience=QUICK) as connection:
            unchanged = (LEASE.c.holder == seen.holder, LEASE.c.beat == seen.beat)
            new = {"holder": holder, "beat": LEASE.c.beat + 1, "locked": self._has_lock}
            if not connection.execute(update(LEASE).where(*unchanged).values(new)).rowcount:
                return None
            connection.execute(update(IDENTITY).values(epoch=IDENTITY.c.epoch + 1))
            row = connection.execute(select(IDENTITY)).one()
            return Held(holder, row.store, row.epoch)

    def renew(self, held: Held) -> bool:
        """Show that we live; False if the lease is another's by now."""
        self._try_lock()
        mine = LEASE.c.holder == held.holder
        new = {"beat": LEASE.c.beat + 1, "locked": self._has_lock}
        try:
            with transaction(self._engine, durable=False, patience=QUICK) as connection:
                return connection.execute(update(LEASE).where(mine).values(new)).rowcount > 0
        except StoreFailed as failure:
            if not _is_full(failure):
                raise
            # Nobody else can write to a full disk either: who led goes on, so that a full disk stops no machine.
            return self.look().holder == held.holder

    def release(self, held: Held) -> None:
        """Give the lease back, so that another bridge may lead at once."""
        try:
            with transaction(self._engine, patience=QUICK) as connection:
                connection.execute(update(LEASE).where(LEASE.c.holder == held.holder).values(holder=NOBODY))
        finally:
            self.close()

    def close(self) -> None:
        """Free the lock beside the file; closing twice is fine."""
        if self._lock and self._has_lock:
            self._has_lock = False
            self._lock.__exit__()

    def _try_lock(self) -> bool:
        if self._lock and not self._has_lock:
            try:
                self._lock.__enter__()
                self._has_lock = True
            except PiioError:  # another one's, or a folder that takes no files: then beats have to do
                return False
        return self._has_lock

    def _prepare(self) -> str:
        """Make what is not there yet; of two bridges that do so at once one does it."""
        try:
            with self._engine.begin() as connection:
                if connection.execute(select(LEASE)).first() is None:
                    connection.execute(insert(LEASE).values(id=1, holder=NOBODY, beat=0, locked=False))
                if connection.execute(select(IDENTITY)).first() is None:
                    connection.execute(insert(IDENTITY).values(store=secrets.token_hex(4), epoch=0))
        except IntegrityError:
            log.debug("another bridge has just made the lease")
        except SQLAlchemyError as error:
            raise DatabaseError(
                f"the database {self._engine.url!r} cannot be used: {getattr(error, 'orig', error)}"
            ) from error
        with transaction(self._engine, reading=True) as connection:
            return str(connection.scalar(select(IDENTITY.c.store)))


def _look(connection: Connection) -> Seen:
    row = connection.execute(select(LEASE)).one()
    return Seen(row.holder, row.beat, row.locked)


def _is_full(failure: StoreFailed) -> bool:
    cause: Any = failure.__cause__
    return getattr(getattr(cause, "orig", None), "sqlite_errorcode", 0) & 0xFF == SQLITE_FULL
