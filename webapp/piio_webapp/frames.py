"""What a page is told: one frame with the newest of everything that changed since the last."""

import time
from typing import Any

from piio_webapp.board_cache import BoardCache, HeardBoard
from piio_webapp.open_page import OpenPage
from piio_webapp.tick import BOOT, tick

DOCUMENTS = ("capabilities", "config", "applied", "health")
READINGS = ("values", "qualities", "raws")


def heartbeat() -> dict[str, Any]:
    """Return a frame that only says when it was sent: the tick for ages, the Unix time to draw by."""
    return {"boot": BOOT, "tick": tick(), "time": time.time()}


def taken(page: OpenPage, cache: BoardCache) -> dict[str, Any]:
    """Return the page's next frame and mark all of it as told; call it with the cache's lock held."""
    frame = heartbeat()
    if page.full or "link" in page.changed:
        frame["link"] = {"broker": cache.broker, "bridge": cache.bridge, "quiet": cache.quiet}
    if page.full:
        frame["full"] = True
        frame.update(_everything(page, cache))
    elif page.looking:
        frame.update(_changes(page, cache))
    for name in ("answers", "notes"):
        waiting = getattr(page, name)
        if waiting:
            frame[name] = list(waiting)
            waiting.clear()
    page.open -= len(frame.get("answers", ()))
    page.full = False
    page.changed.clear()
    return frame


def _everything(page: OpenPage, cache: BoardCache) -> dict[str, Any]:
    if page.agent is None:
        return {"boards": {name: board.summary for name, board in cache.boards.items()}}
    board = cache.boards.get(page.agent)
    if board is None:
        return {"board": None}
    kinds = READINGS if page.raws else READINGS[:2]
    return {"board": _documents(board, DOCUMENTS), **{kind: dict(getattr(board, kind)) for kind in kinds}}


def _changes(page: OpenPage, cache: BoardCache) -> dict[str, Any]:
    if page.agent is None:
        names = page.changed.get("boards", ())
        boards = {name: cache.boards[name].summary if name in cache.boards else None for name in names}
        return {"boards": boards} if boards else {}
    board = cache.boards.get(page.agent)
    if board is None:
        return {"board": None} if "board" in page.changed else {}
    told: dict[str, Any] = {}
    if "board" in page.changed:
        told["board"] = _documents(board, page.changed["board"])
    for kind in READINGS:
        keys = page.changed.get(kind)
        if keys:
            readings = getattr(board, kind)
            told[kind] = {key: readings.get(key) for key in keys}
    return told


def _documents(board: HeardBoard, names: Any) -> dict[str, Any]:
    documents = {name: board.documents.get(name) for name in names if name in DOCUMENTS}
    return {"status": board.status, "seen": board.seen, **documents}
