"""What a page is told: one frame with the newest of everything that changed since the last."""

import time
from collections.abc import Iterable
from typing import Any

import orjson

from piio_webapp.board_cache import BoardCache
from piio_webapp.heard_board import HeardBoard
from piio_webapp.open_page import OpenPage
from piio_webapp.tick import BOOT, tick
from piio_webapp.view import READINGS, View

DOCUMENTS = ("capabilities", "config", "applied", "health")


def heartbeat() -> dict[str, Any]:
    """Return a frame that only says when it was sent: the tick for ages, the Unix time to draw by."""
    return {"boot": BOOT, "tick": tick(), "time": time.time()}


def told(view: View, page: OpenPage, cache: BoardCache) -> dict[str, Any]:
    """Return what a page does not know yet; call this, as all here, with the cache's lock held."""
    return _everything(view, cache) if page.full else _news(view, page.told, cache)


def own(page: OpenPage) -> dict[str, Any]:
    """Return what concerns this page alone, the answers to what it asked among it, and mark it as told."""
    told: dict[str, Any] = {}
    for name in ("answers", "notes"):
        waiting = getattr(page, name)
        if waiting:
            told[name] = list(waiting)
            waiting.clear()
    page.open -= len(told.get("answers", ()))
    return told


def encoded(frame: dict[str, Any]) -> bytes:
    """Return a frame as it goes over the wire; what is not finite becomes null."""
    return orjson.dumps(frame, option=orjson.OPT_NON_STR_KEYS)


def _everything(view: View, cache: BoardCache) -> dict[str, Any]:
    told = {"full": True, "link": _link(cache)}
    if view.target is None:
        return {"link": _link(cache)}
    if view.target.agent is None:
        return {**told, "boards": {name: board.summary for name, board in cache.boards.items()}}
    board = cache.boards.get(view.target.agent)
    if board is None:
        return {**told, "board": None}
    readings = {kind: dict(getattr(board, kind)) for kind in READINGS if view.wants(kind)}
    return {**told, "board": _documents(board, DOCUMENTS), **readings}


def _news(view: View, number: int, cache: BoardCache) -> dict[str, Any]:
    changed = view.since(number)
    told: dict[str, Any] = {"link": _link(cache)} if "link" in changed else {}
    if "boards" in changed:
        told["boards"] = {
            name: cache.boards[name].summary if name in cache.boards else None for name in changed["boards"]
        }
    board = cache.boards.get(view.target.agent) if view.target and view.target.agent else None
    if "board" in changed:
        told["board"] = _documents(board, changed["board"]) if board else None
    if board:
        for kind in READINGS:
            if kind in changed:
                readings = getattr(board, kind)
                told[kind] = {key: readings.get(key) for key in changed[kind]}
        if kept := board.kept.intersection(changed.get("values", ())):
            told["kept"] = list(kept)
    if "samples" in changed:
        told["samples"] = {point: view.samples[point].since(number) for point in changed["samples"]}
    return told


def _link(cache: BoardCache) -> dict[str, Any]:
    return {"broker": cache.broker, "bridge": cache.bridge, "quiet": cache.quiet}


def _documents(board: HeardBoard, names: Iterable[str]) -> dict[str, Any]:
    documents = {name: board.documents.get(name) for name in names if name in DOCUMENTS}
    return {"status": board.status, "seen": board.seen, **documents}
