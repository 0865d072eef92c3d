"""SQLite's write-ahead log, which grows for as long as somebody always reads."""

from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from piio_bridge.store.database import StoreFailed

LARGE = 32_000_000
"""Bytes from which on readers have to wait until it is written back; SQLite does so itself at 4 MB, if nobody reads."""


class LogFile:
    """The log of one database; PostgreSQL sees to its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._path = Path(f"{file}-wal") if file else None

    @property
    def is_large(self) -> bool:
        """Whether it is time to write it back."""
        try:
            return self._path is not None and self._path.stat().st_size > LARGE
        except OSError:
            return False

    def write_back(self) -> None:
        """Do so, as far as nobody reads what is older; StoreFailed if it cannot be done."""
        try:
            with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            raise StoreFailed(error) from error
