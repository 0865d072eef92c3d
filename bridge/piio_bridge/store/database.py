"""Opening the database: SQLite in a file by default, PostgreSQL by URL."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from piio_bridge.errors import BridgeError
from piio_bridge.store.tables import METADATA


class DatabaseError(BridgeError, OSError):
    """The database cannot be opened; the message says which and what to do."""


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


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # sqlite3 must not begin transactions by itself: a read that turns into a write fails at once in WAL.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 5000", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
