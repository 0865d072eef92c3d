"""Every revision of every board's configuration, and what is known of the boards."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from piio_bridge.errors import BridgeError
from piio_bridge.leadership import Leadership
from piio_bridge.store.database import transaction
from piio_bridge.store.tables import BOARDS, GAPS, IDENTITY, POINTS, REMOVED, REVISIONS
from piio_schemas.requests import Revision

ADOPTED = "adopted"
"""Who is named for a configuration found at the broker."""


class Stored(Struct, frozen=True):
    """One revision of a board's configuration: its number, origin, and the document of points and displays as JSON."""

    revision: int
    updated: str
    by: str
    text: str

    @property
    def document(self) -> dict[str, Any]:
        """The points and displays."""
        found: dict[str, Any] = json.loads(self.text)
        return found


class Addition(Struct, frozen=True):
    """A revision to be stored for a board, numbered `at_least` or above."""

    agent: str
    document: dict[str, Any]
    by: str
    at_least: int = 0


class Superseded(BridgeError, RuntimeError):
    """Another bridge leads by now."""

    def __init__(self) -> None:
        super().__init__("another bridge leads by now, nothing was done: ask again")


class Configurations:
    """The configuration store of who leads. Every call is one transaction and blocks: never call it on the event loop.

    StoreFailed when the database is full, locked or gone, Superseded when another bridge leads by now: nothing is
    changed then. What was written without an error is on the disk, whatever happens next.
    """

    def __init__(self, engine: Engine, leadership: Leadership) -> None:
        self._engine = engine
        self._leadership = leadership

    @property
    def store(self) -> str:
        """Which database this is, to agents."""
        return self._leadership.store

    @property
    def epoch(self) -> int:
        """Which term of leading it this is."""
        return self._leadership.epoch

    def raise_epoch(self, at_least: int) -> None:
        """Go on under a higher epoch; what was published before is to be published anew."""
        with self._writing() as connection:
            connection.execute(update(IDENTITY).values(epoch=at_least))
        self._leadership.epoch = at_least

    def boards(self, after: str, most: int) -> dict[str, str | None]:
        """Return the next agents ever seen, by name, with their last capabilities as JSON; all at once may be many."""
        query = select(BOARDS.c.agent, BOARDS.c.capabilities).where(BOARDS.c.agent > after)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(BOARDS.c.agent).limit(most))
            return {row.agent: row.capabilities for row in rows}

    def keep_capabilities(self, documents: Mapping[str, str]) -> None:
        """Remember what boards are and have; one that was forgotten is a board again."""
        with self._writing() as connection:
            for agent, document in documents.items():
                known = update(BOARDS).where(BOARDS.c.agent == agent).values(capabilities=document)
                if not connection.execute(known).rowcount:
                    connection.execute(insert(BOARDS).values(agent=agent, capabilities=document))
                    connection.execute(delete(REMOVED).where(REMOVED.c.agent == agent))

    def newest(self, agents: Collection[str]) -> dict[str, Stored]:
        """Return the newest revision of each of some boards, a few hundred at most; those without one are left out."""
        other = REVISIONS.alias()
        highest = select(func.max(other.c.revision)).where(other.c.agent == REVISIONS.c.agent).scalar_subquery()
        query = select(REVISIONS).where(REVISIONS.c.agent.in_(agents), REVISIONS.c.revision == highest)
        with self._reading() as connection:
            return {row.agent: _stored(row) for row in connection.execute(query)}

    def revision(self, agent: str, revision: int) -> Stored | None:
        """Return one revision of a board, None if there is no such one."""
        query = select(REVISIONS).where(REVISIONS.c.agent == agent, REVISIONS.c.revision == revision)
        with self._reading() as connection:
            row = connection.execute(query).first()
            return _stored(row) if row else None

    def revisions(self, agent: str) -> list[Revision]:
        """Return what revisions a board has, newest first."""
        columns = (REVISIONS.c.revision, REVISIONS.c.updated, REVISIONS.c.by)
        query = select(*columns).where(REVISIONS.c.agent == agent).order_by(REVISIONS.c.revision.desc())
        with self._reading() as connection:
            return [Revision(row.revision, row.updated, row.by) for row in connection.execute(query)]

    def newest_documents(self, agent: str, count: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the newest revisions of a board with their documents, newest first."""
        columns = (REVISIONS.c.revision, REVISIONS.c.document)
        query = select(*columns).where(REVISIONS.c.agent == agent).order_by(REVISIONS.c.revision.desc()).limit(count)
        with self._reading() as connection:
            return [(row.revision, json.loads(row.document)) for row in connection.execute(query)]

    def documents(self, agent: str) -> list[dict[str, Any]]:
        """Return the documents of all revisions of a board."""
        query = select(REVISIONS.c.document).where(REVISIONS.c.agent == agent)
        with self._reading() as connection:
            return [json.loads(row.document) for row in connection.execute(query)]

    def add(
        self, agent: str, document: dict[str, Any], *, by: str, at_least: int = 0,
        renamed: dict[str, str] | None = None, removed: Iterable[str] = (), revived: Iterable[str] = (),
    ) -> Stored:  # fmt: skip
        """Store the next revision, numbered `at_least` or above.

        `renamed` points (old to new name) keep their history; `removed` and `revived` are retained topics.
        """
        with self._writing() as connection:
            stored = _add(connection, Addition(agent, document, by, at_least))
            _rename_points(connection, agent, renamed or {})
            _mark_removed(connection, agent, set(removed), set(revived))
        return stored

    def add_all(self, additions: Iterable[Addition]) -> dict[str, Stored]:
        """Store the next revision of several boards; all of them or none."""
        with self._writing() as connection:
            return {each.agent: _add(connection, each) for each in additions}

    def forget(self, agent: str, topics: Iterable[str]) -> None:
        """Remove a board with its revisions and history; its retained topics are remembered as removed."""
        with self._writing() as connection:
            connection.execute(delete(REVISIONS).where(REVISIONS.c.agent == agent))
            connection.execute(delete(BOARDS).where(BOARDS.c.agent == agent))
            mine = select(POINTS.c.id).where(POINTS.c.agent == agent)
            connection.execute(delete(GAPS).where(GAPS.c.point.in_(mine)))
            # Nobody's from now on: what may be millions of rows goes a little at a time.
            connection.execute(update(POINTS).where(POINTS.c.agent == agent).values(agent="", name=None))
            _mark_removed(connection, agent, set(topics), set())

    def removed_topics(self) -> list[str]:
        """Return the retained topics of what was removed or renamed, and may come back with an old broker."""
        with self._reading() as connection:
            return [row.topic for row in connection.execute(select(REMOVED.c.topic))]

    def _reading(self) -> AbstractContextManager[Connection]:
        return transaction(self._engine, reading=True)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with transaction(self._engine) as connection:
            if connection.scalar(select(IDENTITY.c.epoch).with_for_update()) != self.epoch:
                self._leadership.doubt()
                raise Superseded
            yield connection


def _add(transaction: Connection, addition: Addition) -> Stored:
    agent = addition.agent
    newest = transaction.scalar(select(func.max(REVISIONS.c.revision)).where(REVISIONS.c.agent == agent))
    number = max(0 if newest is None else newest + 1, addition.at_least)
    updated = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stored = Stored(number, updated, addition.by, json.dumps(addition.document))
    transaction.execute(
        insert(REVISIONS).values(agent=agent, revision=number, updated=updated, by=stored.by, document=stored.text)
    )
    return stored


def _stored(row: Any) -> Stored:
    return Stored(row.revision, row.updated, row.by, row.document)


def _rename_points(transaction: Connection, agent: str, renamed: dict[str, str]) -> None:
    for old, new in renamed.items():
        mine = POINTS.c.agent == agent
        transaction.execute(update(POINTS).where(mine, POINTS.c.name == new).values(name=None))
        transaction.execute(update(POINTS).where(mine, POINTS.c.name == old).values(name=new))


def _mark_removed(transaction: Connection, agent: str, removed: set[str], revived: set[str]) -> None:
    gone = removed | revived
    if gone:
        transaction.execute(delete(REMOVED).where(REMOVED.c.topic.in_(gone)))
    for topic in removed - revived:
        transaction.execute(insert(REMOVED).values(topic=topic, agent=agent))
