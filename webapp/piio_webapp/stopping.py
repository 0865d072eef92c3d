"""Stopping boards from a page, and telling it which outputs have said that they stopped."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from piio.errors import PiioError
from piio.stopping import Stopped, Watched
from piio_schemas import topics
from piio_schemas.roles import Role, may_act_as
from piio_schemas.stopping import Stop
from piio_webapp.board_cache import BoardCache
from piio_webapp.broker import Broker
from piio_webapp.requests import Actor

WITHIN = 4.0
"""Seconds that boards are given to say that they have stopped."""

Tell = Callable[[dict[str, Any]], None]


class Waiting(Struct):
    """A page that waits until the boards have said so, up to a monotonic time."""

    until: float
    by: str
    boards: list[Watched]
    tell: Tell


class Stops:
    """Stops go out at once, whatever else waits; `tell` gets what came of one, on any thread."""

    def __init__(self, broker: Broker, cache: BoardCache) -> None:
        self._broker = broker
        self._cache = cache
        self._lock = threading.Lock()
        self._waiting: list[Waiting] = []

    def stop(self, actor: Actor, agent: str | None, tell: Tell) -> None:
        """Stop a board, or all of them, unless the person may not or the broker cannot be reached."""
        who = actor.who
        if not may_act_as(who.role, Role.OPERATOR):
            tell({"status": "refused", "reason": f"stopping needs the role operator; you are {who.role}"})
            return
        watched = self._watched(agent)
        row = topics.STOP_ALL if agent is None else topics.STOP
        stop = Stop(by=who.name, id=f"web-{secrets.token_hex(8)}")
        try:
            self._broker.stop_boards(row.at(self._broker.prefix, agent=agent or ""), stop, actor.acts(stop.id))
        except PiioError as error:
            tell({"status": "failed", "reason": str(error)})
            return
        with self._lock:
            self._waiting.append(Waiting(time.monotonic() + WITHIN, who.name, watched, tell))

    def sweep(self) -> None:
        """Tell those who wait what is known by now; call it now and then."""
        now = time.monotonic()
        with self._lock:
            waiting = list(self._waiting)
        for each in waiting:
            seen = self._seen(each.boards)
            if now >= each.until or all(board.done or not board.online for board in seen):
                with self._lock:
                    self._waiting.remove(each)
                each.tell(_answer(each.by, seen))

    def _watched(self, agent: str | None) -> list[Watched]:
        with self._cache.lock:
            found = self._cache.boards
            names = sorted(found) if agent is None else [agent]
            return [Watched(name, found[name].documents.get("applied") if name in found else None) for name in names]

    def _seen(self, watched: list[Watched]) -> list[Stopped]:
        with self._cache.lock:
            told = []
            for each in watched:
                board = self._cache.boards.get(each.board)
                documents = board.documents if board else {}
                status = board.status if board and self._cache.broker else None
                told.append(each.seen(status, documents.get("config"), documents.get("applied")))
            return told


def _answer(by: str, seen: list[Stopped]) -> dict[str, Any]:
    left = {each.board: each.left for each in seen if each.left}
    offline = [each.board for each in seen if not each.online]
    return {
        "status": "failed" if left or len(offline) == len(seen) else "done",
        "by": by,
        "outputs": sum(each.outputs for each in seen if each.done),
        "left": left,
        "offline": offline,
    }
