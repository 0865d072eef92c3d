"""The running web app's parts, put together: what the broker says goes to the pages, what people ask to the bridge."""

from typing import Any

from sqlalchemy import Engine

from piio_webapp.board_cache import BoardCache, Change, Looks
from piio_webapp.broker import Broker
from piio_webapp.doorkeeper import Doorkeeper
from piio_webapp.last_seen import LastSeen
from piio_webapp.logins import Logins
from piio_webapp.open_pages import OpenPages, Wire
from piio_webapp.options import Options
from piio_webapp.requests import Requests
from piio_webapp.stopping import Stops
from piio_webapp.view import Target


class Hub:
    """Everything between the broker and the pages; it does nothing until it is started."""

    def __init__(self, options: Options, engine: Engine, instance: str) -> None:
        self.options = options
        self.logins = Logins(engine)
        self.last_seen = LastSeen(engine)
        self.cache = BoardCache(options.prefix, self._changed, seen=self.last_seen.known())
        self.broker = Broker(options, instance, self.cache)
        self.pages = OpenPages(self._looks)
        self.doorkeeper = Doorkeeper(self.logins, self.pages)
        self.requests = Requests(self.broker, self.cache)
        self.stops = Stops(self.broker, self.cache)
        self.broker.on_tick = self.stops.sweep

    def start(self, wire: Wire) -> None:
        """Connect to the broker and begin to send frames."""
        self.pages.start(self.cache, wire)
        self.doorkeeper.start()
        self.last_seen.start(self.cache)
        self.broker.start()

    def stop(self) -> None:
        """Close every page and say goodbye to the broker."""
        self.doorkeeper.stop()
        self.pages.stop()
        self.broker.stop()
        self.last_seen.stop()

    def _looks(self, targets: set[Target]) -> None:
        at = [(target.agent, target) for target in targets if target.agent is not None]
        self.broker.look_at(
            Looks(
                agents=frozenset(agent for agent, _ in at),
                raws=frozenset(agent for agent, target in at if target.raws),
                samples=frozenset((agent, point) for agent, target in at for point, _ in target.samples),
            )
        )

    def _changed(self, change: Change) -> None:
        self.pages.changed(change)
        self.last_seen.changed(change)
        note = self._note(change)
        if note:
            self.pages.note(note, change.agent if change.kind == "event" else None)

    def _note(self, change: Change) -> dict[str, Any] | None:
        """What people are told of a change: a board that comes or goes, a configuration that somebody changed."""
        if change.agent is None or change.before is None or change.kind == "samples":
            return None
        board = self.cache.boards.get(change.agent)
        if change.kind == "event":
            return {"kind": "event", "agent": change.agent, "point": change.key, "reason": change.before}
        if change.kind == "status" and board:
            return {"kind": "status", "agent": change.agent, "status": board.status}
        if change.kind == "config" and board:
            config = board.documents.get("config", {})
            if config.get("revision") != change.before.get("revision"):
                return {"kind": "config", "agent": change.agent, "by": config.get("by", "")}
        return None
