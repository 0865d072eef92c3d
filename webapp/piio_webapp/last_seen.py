"""When each board was last heard of, kept in the tables so that a restart does not forget it."""

import logging
import threading
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from piio_webapp.board_cache import BoardCache, Change
from piio_webapp.tables import Sighting

log = logging.getLogger(__name__)

KEPT_EVERY = 60.0
"""Seconds between two writes while nothing happens; a board that goes offline is written at once."""


class LastSeen:
    """Writes what the cache knows, on a thread of its own: nobody who hears or shows waits for the disk."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cache: BoardCache | None = None
        self._written: dict[str, float] = {}
        self._gone: set[str] = set()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="last seen", daemon=True)

    def known(self) -> dict[str, float]:
        """Return the Unix seconds at which each board was last heard of, as far as it was written."""
        with Session(self._engine) as session:
            self._written = {row.agent: row.seen for row in session.scalars(select(Sighting))}
        return dict(self._written)

    def start(self, cache: BoardCache) -> None:
        """Begin to write."""
        self._cache = cache
        self._thread.start()

    def stop(self) -> None:
        """Write once more and end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(1)

    def changed(self, change: Change) -> None:
        """Take notice of a board that went offline or was removed; call it with the cache's lock held."""
        if change.kind == "gone" and change.agent:
            self._gone.add(change.agent)
        if change.kind in ("gone", "status"):
            self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(KEPT_EVERY)
            self._wake.clear()
            try:
                self._write()
            except SQLAlchemyError as error:
                log.warning("when boards were last seen could not be written: %s", error)

    def _write(self) -> None:
        if self._cache is None:
            return
        with self._cache.lock:
            seen = {agent: board.seen for agent, board in self._cache.boards.items() if board.seen is not None}
            gone, self._gone = self._gone - seen.keys(), set()
        new = {agent: at for agent, at in seen.items() if self._written.get(agent) != at}
        with Session(self._engine) as session:
            if gone:
                session.execute(delete(Sighting).where(Sighting.agent.in_(gone)))
            if new:
                session.execute(_newest(self._engine, new))
            session.commit()
        self._written.update(new)


def _newest(engine: Engine, seen: dict[str, float]) -> Any:
    """Return what writes these times, unless another web app has written a newer one."""
    dialect: Any = postgresql if engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(Sighting).values([{"agent": agent, "seen": seen[agent]} for agent in sorted(seen)])
    written = statement.excluded.seen
    return statement.on_conflict_do_update(
        index_elements=["agent"], set_={"seen": written}, where=Sighting.seen < written
    )
