"""The people of the web app, as `piio user` makes, changes and removes them, also while the web app runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argon2 import PasswordHasher
from msgspec import Struct
from sqlalchemy import delete
from sqlalchemy.orm import Session

from piio_schemas.identifiers import IdentifierError, check_identity
from piio_schemas.roles import PEOPLE, Role
from piio_webapp.errors import PersonError
from piio_webapp.tables import Login, Person, opened

DATABASE = "PIIO_WEBAPP_DATABASE"
"""The variable that names another database than the state folder's."""

LONGEST_PASSWORD = 1024

HASHER = PasswordHasher()


class Who(Struct, frozen=True):
    """A person as the rest of the web app knows him."""

    name: str
    role: Role


def added(state: Path, name: str, role: Role, password: str) -> None:
    """Make a person who may log in; boards are ignored, PersonError if there is one of that name."""
    if role not in PEOPLE:
        return
    _check(name, password)
    with _session(state) as session:
        if session.get(Person, name):
            raise PersonError(f"'{name}' is there already: change or remove that person instead")
        session.add(Person(name=name, role=role.value, password_hash=HASHER.hash(password)))
        session.commit()


def changed(state: Path, name: str, role: Role | None = None, password: str | None = None) -> None:
    """Change a person's role or password, who is logged out everywhere; boards and strangers are ignored."""
    with _session(state) as session:
        person = session.get(Person, name)
        if person is None:
            return
        if role is not None and role in PEOPLE:
            person.role = role.value
        if password is not None:
            _check(name, password)
            person.password_hash = HASHER.hash(password)
        session.execute(delete(Login).where(Login.name == name))
        session.commit()


def removed(state: Path, name: str) -> None:
    """Remove a person, who is logged out everywhere at once; a stranger is ignored."""
    with _session(state) as session:
        session.execute(delete(Login).where(Login.name == name))
        session.execute(delete(Person).where(Person.name == name))
        session.commit()


@contextmanager
def _session(state: Path) -> Iterator[Session]:
    engine = opened(state, os.environ.get(DATABASE))
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()


def _check(name: str, password: str) -> None:
    try:
        check_identity(name)
    except IdentifierError as error:
        raise PersonError(str(error)) from error
    if not 0 < len(password) <= LONGEST_PASSWORD:
        raise PersonError(f"a password has 1 to {LONGEST_PASSWORD} characters")
