"""What a page is told: one frame with the newest of everything that changed since the last."""

import time
from typing import Any

from piio_webapp.boot import BOOT, tick
from piio_webapp.mirror import Board, Mirror
from piio_webapp.screen import Screen

DOCUMENTS = ("capabilities", "config", "applied", "health")
READINGS = ("values", "qualities", "raws")


def heartbeat() -> dict[str, Any]:
    """Return a frame that only says when it was sent: the tick for ages, the Unix time to draw by."""
    return {"boot": BOOT, "tick": tick(), "time": time.time()}


def taken(screen: Screen, mirror: Mirror) -> dict[str, Any]:
    """Return the page's next frame and mark all of it as told; call it with the mirror's lock held."""
    frame = heartbeat()
    if screen.full or "link" in screen.changed:
        frame["link"] = {"broker": mirror.broker, "bridge": mirror.bridge, "quiet": mirror.quiet}
    if screen.full:
        frame["full"] = True
        frame.update(_everything(screen, mirror))
    elif screen.looking:
        frame.update(_changes(screen, mirror))
    for name in ("answers", "notes"):
        waiting = getattr(screen, name)
        if waiting:
            frame[name] = list(waiting)
            waiting.clear()
    screen.open -= len(frame.get("answers", ()))
    screen.full = False
    screen.changed.clear()
    return frame


def _everything(screen: Screen, mirror: Mirror) -> dict[str, Any]:
    if screen.agent is None:
        return {"boards": {name: board.summary for name, board in mirror.boards.items()}}
    board = mirror.boards.get(screen.agent)
    if board is None:
        return {"board": None}
    kinds = READINGS if screen.raws else READINGS[:2]
    return {"board": _documents(board, DOCUMENTS), **{kind: dict(getattr(board, kind)) for kind in kinds}}


def _changes(screen: Screen, mirror: Mirror) -> dict[str, Any]:
    if screen.agent is None:
        names = screen.changed.get("boards", ())
        boards = {name: mirror.boards[name].summary if name in mirror.boards else None for name in names}
        return {"boards": boards} if boards else {}
    board = mirror.boards.get(screen.agent)
    if board is None:
        return {"board": None} if "board" in screen.changed else {}
    told: dict[str, Any] = {}
    if "board" in screen.changed:
        told["board"] = _documents(board, screen.changed["board"])
    for kind in READINGS:
        keys = screen.changed.get(kind)
        if keys:
            readings = getattr(board, kind)
            told[kind] = {key: readings.get(key) for key in keys}
    return told


def _documents(board: Board, names: Any) -> dict[str, Any]:
    documents = {name: board.documents.get(name) for name in names if name in DOCUMENTS}
    return {"status": board.status, "seen": board.seen, **documents}
