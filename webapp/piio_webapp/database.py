"""The database of people and log-ins: SQLite in the state folder, or PostgreSQL by URL, for several web apps."""

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from piio.private_file import StateError

EXAMPLE = "postgresql+psycopg://piio@host/piio"

POSTGRESQL = {
    "connect_timeout": "2",
    "options": "-c statement_timeout=3000",
    "tcp_user_timeout": "3000",
    "keepalives_idle": "2",
    "keepalives_interval": "1",
    "keepalives_count": "3",
}
"""Settings of libpq, unless the URL says otherwise: who asks hears within seconds that nobody answers."""


def engine(url: str) -> Engine:
    """Return an engine, nothing connected yet; StateError when the URL is none or its driver is missing."""
    try:
        wanted = _with_driver(make_url(url))
        made = create_engine(wanted, pool_pre_ping=True, **_options(wanted))
    except ArgumentError as error:
        raise StateError(f"the web app's database must be a URL such as {EXAMPLE}: {error}") from error
    except ModuleNotFoundError as error:
        remedy = "pip install 'piio[postgresql]'" if error.name == "psycopg" else f"use a URL such as {EXAMPLE}"
        raise StateError(f"the web app's database needs Python's package {error.name}: {remedy}") from error
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _sqlite_pragmas)
    return made


def trouble(engine: Engine, error: SQLAlchemyError) -> str:
    """Return what is wrong with a database, and what to do."""
    remedies = {
        "sqlite": "move it aside, and people are made anew with `piio user add`",
        "postgresql": "is PostgreSQL running there, does the database exist, and may this user write to it?",
    }
    reason = str(getattr(error, "orig", None) or error).strip()
    remedy = remedies.get(engine.dialect.name, f"SQLite and PostgreSQL are tested, e.g. {EXAMPLE}")
    return f"the web app's database {engine.url.render_as_string()} cannot be used: {reason}; {remedy}"


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "postgresql":
        return {}
    settings = {name: value for name, value in POSTGRESQL.items() if name not in url.query}
    return {"connect_args": settings, "pool_timeout": 3}


def _sqlite_pragmas(connection: object, _: object) -> None:
    """Let `piio user` write while the web app reads, and let a removed person's log-ins go with him."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
