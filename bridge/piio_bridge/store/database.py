"""Opening the database: SQLite in a file by default, PostgreSQL by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from piio_bridge.errors import BridgeError
from piio_bridge.store.tables import METADATA

PATIENCE = 2.0
"""Seconds that a transaction waits for another one to end, so that who asked hears of it while he still listens."""


class DatabaseError(BridgeError, OSError):
    """The database cannot be opened; the message says which and what to do."""


class StoreFailed(BridgeError, OSError):
    """The database would not take or give something; nothing was changed."""

    def __init__(self, error: SQLAlchemyError) -> None:
        super().__init__(f"the database could not be used ({getattr(error, 'orig', None) or error}): nothing was done")


def open_database(url: str) -> Engine:
    """Open a database and make its tables; DatabaseError says why it cannot be used."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=True)
        if parsed.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin)
        METADATA.create_all(engine)
    except ArgumentError as error:
        raise DatabaseError(f"'{url}' is not a database's URL, such as sqlite:///bridge.db") from error
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = getattr(error, "orig", None) or error
        raise DatabaseError(f"the database {parsed!r} cannot be used: {reason}") from error
    return engine


@contextmanager
def transaction(engine: Engine, **options: Any) -> Iterator[Connection]:
    """Do something as a whole or not at all; StoreFailed says why not.

    Options, which SQLite understands: `reading` takes no lock; `durable=False` may be lost with the power, though not
    with the process; `patience` are the seconds to wait for others.
    """
    try:
        with engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        raise StoreFailed(error) from error


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # sqlite3 must not begin transactions by itself: a read that turns into a write fails at once in WAL.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", f"busy_timeout = {PATIENCE * 1000:.0f}", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {options.get('patience', PATIENCE) * 1000:.0f}")
    connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options.get('durable', True) else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN" if options.get("reading", False) else "BEGIN IMMEDIATE")
