"""Who is logged in: made at log-in, looked up at every request and every event, ended at log-out."""

import hashlib
import secrets
import threading
import time
from collections.abc import Collection

from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from piio_schemas.roles import Role
from piio_webapp.people import HASHER, LONGEST_PASSWORD, Who
from piio_webapp.tables import Login, Person, UsedLink

LASTING = 30 * 86400.0
"""Seconds a log-in lasts."""

_NOBODY = HASHER.hash(secrets.token_hex())
"""What a stranger's password is compared with, so that an unknown name takes as long as a wrong password."""


class Logins:
    """The log-ins of the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hashing = threading.Semaphore(2)  # each takes 64 MB for a moment

    def verified(self, name: str, password: str) -> Who | None:
        """Return the person whose password this is."""
        with Session(self._engine) as session:
            person = session.get(Person, name)
            hash = person.password_hash if person else _NOBODY
            with self._hashing:
                matches = len(password) <= LONGEST_PASSWORD and _matches(hash, password)
            return Who(person.name, Role(person.role)) if person and matches else None

    def begun(self, name: str) -> str | None:
        """Log a person in and return the log-in's id, None for a stranger; only its hash is stored."""
        id = secrets.token_urlsafe(32)
        now = time.time()
        with Session(self._engine) as session:
            session.execute(delete(Login).where(Login.until < now))
            session.add(Login(id_hash=_hash(id), name=name, until=now + LASTING))
            try:
                session.commit()
            except IntegrityError:
                return None
        return id

    def ended(self, id: str) -> None:
        """Log out; a log-in that has ended is ignored."""
        with Session(self._engine) as session:
            session.execute(delete(Login).where(Login.id_hash == _hash(id)))
            session.commit()

    def who(self, id: object) -> Who | None:
        """Return whose log-in this is, None when it has ended."""
        return self.those([id]).get(id) if isinstance(id, str) else None

    def those(self, ids: Collection[object]) -> dict[str, Who]:
        """Return whose log-ins these are, in one query; those that have ended are left out."""
        hashes = {_hash(id): id for id in ids if isinstance(id, str)}
        query = (
            select(Login.id_hash, Person.name, Person.role)
            .join(Person, Person.name == Login.name)
            .where(Login.id_hash.in_(hashes), Login.until > time.time())
        )
        with Session(self._engine) as session:
            return {hashes[hash]: Who(name, Role(role)) for hash, name, role in session.execute(query)}

    def link_used(self, token: str) -> bool:
        """Mark a first-run link as used and return whether this was its first time."""
        with Session(self._engine) as session:
            session.add(UsedLink(token_hash=_hash(token)))
            try:
                session.commit()
            except IntegrityError:
                return False
        return True


def _matches(hash: str, password: str) -> bool:
    try:
        return HASHER.verify(hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
