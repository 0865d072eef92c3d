"""The web app's own tables: people, who is logged in, first-run links that were used, and when boards were heard of."""

from pathlib import Path

from sqlalchemy import Engine, ForeignKey, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from piio.private_file import StateError
from piio_webapp.state_folder import database_url


class Base(DeclarativeBase):
    """The root of the tables."""


class Person(Base):
    """Somebody who may log in."""

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    password_hash: Mapped[str]


class Login(Base):
    """A browser that is logged in; removed at log-out, and when the person is changed or removed."""

    __tablename__ = "logins"

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ForeignKey("people.name", ondelete="CASCADE"), index=True)
    until: Mapped[float]
    """Unix seconds at which it ends by itself."""


class UsedLink(Base):
    """A first-run link that has been followed and opens nothing any more."""

    __tablename__ = "used_links"

    token_hash: Mapped[str] = mapped_column(primary_key=True)


class Sighting(Base):
    """When a board last gave a sign of life."""

    __tablename__ = "sightings"

    agent: Mapped[str] = mapped_column(primary_key=True)
    seen: Mapped[float]
    """Unix seconds."""


def opened(state: Path, url: str | None = None) -> Engine:
    """Open the database, its tables made if they are missing; StateError says why it cannot be used."""
    engine = create_engine(database_url(state, url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
    try:
        Base.metadata.create_all(engine)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise StateError(
            f"the web app's database {engine.url.render_as_string()} cannot be used: {reason}; "
            "move it aside, and people are made anew with `piio user add`"
        ) from error
    return engine


def _sqlite_pragmas(connection: object, _: object) -> None:
    """Let `piio user` write while the web app reads, and let a removed person's log-ins go with him."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
