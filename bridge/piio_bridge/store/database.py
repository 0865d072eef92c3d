"""Opening the database: SQLite in a file by default, PostgreSQL by URL."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Select, create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from piio_bridge.errors import BridgeError
from piio_bridge.store.tables import METADATA

PATIENCE = 2.0
"""Seconds that a transaction waits for another one to end, so that who asked hears of it while he still listens."""

SILENCE = 5
"""Seconds without a word from PostgreSQL after which its connection counts as lost; and from us within a transaction:
a bridge that stands still must not lock out the one that takes over."""

MAKING = 0x5069494F
"""The lock at PostgreSQL under which tables are made: of two bridges that start at once one makes them."""

LARGEST_LOG = 64_000_000
"""Bytes that SQLite's write-ahead log keeps when it has been written back."""


class DatabaseError(BridgeError, OSError):
    """The database cannot be opened; the message says which and what to do."""


class StoreFailed(BridgeError, OSError):
    """The database would not take or give something; nothing was changed."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"the database could not be used ({_reason(error)}): nothing was done")


def open_database(url: str) -> Engine:
    """Open a database and make its tables; DatabaseError says why it cannot be used."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError(f"'{url}' is not a database's URL, such as sqlite:///bridge.db") from error
    try:
        engine = _engine(parsed)
        with engine.begin() as connection:
            if _is_postgresql(engine):
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MAKING})"))
            METADATA.create_all(connection)
    except (SQLAlchemyError, OSError, ImportError) as error:
        raise DatabaseError(
            f"the database {parsed!r} cannot be used: {_reason(error)}{_remedy(parsed, error)}"
        ) from error
    return engine


@contextmanager
def transaction(engine: Engine, **options: Any) -> Iterator[Connection]:
    """Do something as a whole or not at all; StoreFailed says why not.

    Options: `reading` takes no lock; `durable=False` may be lost with the power, though not with the process;
    `patience` are the seconds to wait for others.
    """
    try:
        with engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        raise StoreFailed(error) from error


def all_at_once(connection: Connection, query: Select[Any]) -> list[Any]:
    """Return all rows of numbers and text by one call.

    For each row that it reads SQLite gives the interpreter away, and has to wait for it again beside a busy thread.
    """
    if connection.dialect.name != "sqlite":
        return [list(row) for row in connection.execute(query)]
    rows = query.subquery()
    found: list[Any] = json.loads(connection.scalar(select(func.json_group_array(func.json_array(*rows.c)))) or "[]")
    return found


def _engine(url: URL) -> Engine:
    backend = url.get_backend_name()
    if backend == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend != "postgresql":
        raise ArgumentError(f"it is neither SQLite nor PostgreSQL, but {backend}")
    # psycopg is the driver that we install and try.
    known = {"connect_timeout": SILENCE, "tcp_user_timeout": SILENCE * 1000, "application_name": "piio-bridge"}
    asked = {name: value for name, value in known.items() if name not in url.query}
    engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=asked)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _is_postgresql(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def _reason(error: Exception) -> str:
    """What the database says, without the lines in which it explains itself."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def _remedy(url: URL, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "psycopg":
        return ". Type: pip install 'piio[postgresql]'"
    if url.get_backend_name() == "postgresql":
        shown = url.set(drivername="postgresql").render_as_string()
        return f". Is the server running, and does it know the user and the database? Try: psql '{shown}'"
    return ""


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # sqlite3 must not begin transactions by itself: a read that turns into a write fails at once in WAL.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")
    if connection.execute("PRAGMA page_count").fetchone() == (0,):  # a new file, from which room can be given back
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for pragma in ("journal_mode = WAL", f"journal_size_limit = {LARGEST_LOG}", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    options = connection.get_execution_options()
    pragmas = {
        "busy_timeout": f"{options.get('patience', PATIENCE) * 1000:.0f}",
        "synchronous": "FULL" if options.get("durable", True) else "NORMAL",
    }
    for pragma, value in pragmas.items():
        if connection.info.get(pragma) != value:
            connection.exec_driver_sql(f"PRAGMA {pragma} = {value}")
            connection.info[pragma] = value
    connection.exec_driver_sql("BEGIN" if options.get("reading", False) else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Any) -> None:
    options = connection.get_execution_options()
    settings = [
        f"SET LOCAL lock_timeout = {options.get('patience', PATIENCE) * 1000:.0f}",
        f"SET LOCAL idle_in_transaction_session_timeout = {SILENCE * 1000}",
    ]
    if not options.get("durable", True):
        settings.append("SET LOCAL synchronous_commit = off")
    if options.get("reading", False):  # years are sorted in memory, and compiling a query takes longer than it saves
        settings += ["SET LOCAL work_mem = '32MB'", "SET LOCAL jit = off"]
    connection.exec_driver_sql("; ".join(settings))
