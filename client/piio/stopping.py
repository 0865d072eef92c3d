"""Stopping boards, and seeing that they have stopped: every output says so itself."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, cast

from msgspec import Struct, field

from piio.errors import NotConnected
from piio.picture import Picture
from piio.session import Session
from piio_schemas import topics
from piio_schemas.documents import encode
from piio_schemas.states import ONLINE
from piio_schemas.stopping import STOPPED, Stop

STEP = 0.1
"""Seconds after which it is looked again whether the broker refused a stop."""

Document = Mapping[str, Any]


class Stopped(Struct, frozen=True, kw_only=True):
    """What became of a stop on one board."""

    board: str
    online: bool
    outputs: int = 0
    """How many it has."""
    left: dict[str, str] = field(default_factory=dict)
    """Outputs that did not say that they were stopped, each with what is known of it."""

    @property
    def done(self) -> bool:
        """Whether every output of the board has stopped."""
        return self.online and not self.left


class Watched(Struct, frozen=True):
    """A board as it was before a stop: whatever says the same afterwards has not obeyed it."""

    board: str
    before: Document | None

    def seen(self, status: str | None, config: Document | None, applied: Document | None) -> Stopped:
        """Return what became of the stop, by what the board says now."""
        outputs = _outputs(config)
        left = {} if status != ONLINE else {name: why for name in outputs if (why := self._left(name, applied))}
        return Stopped(board=self.board, online=status == ONLINE, outputs=len(outputs), left=left)

    def _left(self, name: str, applied: Document | None) -> str:
        now, before = _last(applied, name), _last(self.before, name)
        if now != before and str(now.get("reason", "")).startswith(STOPPED):
            return ""
        error = _point(applied, name).get("error")
        return f"it is not in force: {error}" if error else "it has not said so"


def carry_out(session: Session, board: str | None, by: str | None, within: float) -> list[Stopped]:
    """Stop a board, or all, and wait until each has said so; NotAllowed, NoAnswer or NotConnected: it went nowhere."""
    agent = "+" if board is None else board
    session.want(topic.at(session.prefix, agent=agent) for topic in (topics.STATUS, topics.CONFIG, topics.APPLIED))
    watched: list[Watched] = session.look(lambda picture, _: _watched(picture, board))
    row = topics.STOP_ALL if board is None else topics.STOP
    topic = row.at(session.prefix, agent=agent)
    what = f"stop '{board}'" if board else "stop all boards (who may on some only stops each by its name)"
    end = time.monotonic() + within
    with session.calls.expected(key := object()) as refused:
        answered, heard = threading.Event(), session.acknowledged(key, what)

        def acknowledged(code: int) -> None:
            heard(code)
            answered.set()

        if session.connection.publish(topic, encode(Stop(by=by or "")), row.qos, on_acknowledged=acknowledged) is None:
            raise NotConnected("too many messages wait already: the stop was not sent")
        answered.wait(within)
        while not refused.done() and (left := end - time.monotonic()) > 0:
            session.wait(lambda picture: _settled(_seen(picture, watched)), min(STEP, left))
            if session.look(lambda picture, _: _settled(_seen(picture, watched))):
                break
        if refused.done():
            refused.result()
        return cast(list[Stopped], session.look(lambda picture, _: _seen(picture, watched)))


def _watched(picture: Picture, board: str | None) -> list[Watched]:
    names = picture.boards() if board is None else [board]
    return [Watched(name, picture.applied.get(name)) for name in names]


def _seen(picture: Picture, watched: Iterable[Watched]) -> list[Stopped]:
    statuses, configurations, applied = picture.statuses, picture.configurations, picture.applied
    return [
        each.seen(statuses.get(each.board), configurations.get(each.board), applied.get(each.board)) for each in watched
    ]


def _settled(told: Iterable[Stopped]) -> bool:
    return all(each.done or not each.online for each in told)


def _outputs(config: Document | None) -> list[str]:
    points = (config or {}).get("points")
    found = points if isinstance(points, dict) else {}
    return [name for name, point in found.items() if isinstance(point, dict) and point.get("direction") == "output"]


def _point(applied: Document | None, name: str) -> Document:
    points = (applied or {}).get("points")
    found = points.get(name) if isinstance(points, dict) else None
    return found if isinstance(found, dict) else {}


def _last(applied: Document | None, name: str) -> Document:
    found = _point(applied, name).get("last_fail_safe")
    return cast(Document, found) if isinstance(found, dict) else {}
