"""The web app's own tables: people, who is logged in, first-run links that were used, and when boards were heard of."""

from pathlib import Path

from sqlalchemy import Engine, ForeignKey
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from piio.private_file import StateError
from piio_webapp import database
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
    engine = database.engine(database_url(state, url))
    try:
        _make_tables(engine)
    except SQLAlchemyError as error:
        raise StateError(database.trouble(engine, error)) from error
    return engine


def _make_tables(engine: Engine) -> None:
    try:
        Base.metadata.create_all(engine)
    except (IntegrityError, ProgrammingError):
        Base.metadata.create_all(engine)  # another web app began with the same empty database at the same moment
