"""The running web app's parts, put together: what the broker says goes to the pages, what people ask to the bridge."""

from typing import Any

from sqlalchemy import Engine

from piio_webapp.broker import Broker
from piio_webapp.errands import Errands
from piio_webapp.logins import Logins
from piio_webapp.mirror import Change, Mirror
from piio_webapp.options import Options
from piio_webapp.screens import Screens, Wire
from piio_webapp.sightings import Sightings


class Desk:
    """Everything between the broker and the pages; it does nothing until it is started."""

    def __init__(self, options: Options, engine: Engine, instance: str) -> None:
        self.options = options
        self.logins = Logins(engine)
        self.sightings = Sightings(engine)
        self.mirror = Mirror(options.prefix, self._changed, seen=self.sightings.known())
        self.broker = Broker(options, instance, self.mirror)
        self.screens = Screens(self.logins, self._looks)
        self.errands = Errands(self.broker, self.mirror)
        self._looked: set[str] = set()

    def start(self, wire: Wire) -> None:
        """Connect to the broker and begin to send frames."""
        self.screens.start(self.mirror, wire)
        self.sightings.start(self.mirror)
        self.broker.start()

    def stop(self) -> None:
        """Close every page and say goodbye to the broker."""
        self.screens.stop()
        self.broker.stop()
        self.sightings.stop()

    def _looks(self, agents: set[str]) -> None:
        for agent in agents - self._looked:
            self.broker.look_at(agent)
        for agent in self._looked - agents:
            self.broker.look_away(agent)
        self._looked = agents

    def _changed(self, change: Change) -> None:
        self.screens.changed(change)
        self.sightings.changed(change)
        note = self._note(change)
        if note:
            self.screens.note(note, change.agent if change.kind == "event" else None)

    def _note(self, change: Change) -> dict[str, Any] | None:
        """What people are told of a change: a board that comes or goes, a configuration that somebody changed."""
        if change.agent is None or change.before is None:
            return None
        board = self.mirror.boards.get(change.agent)
        if change.kind == "event":
            return {"kind": "event", "agent": change.agent, "point": change.key, "reason": change.before}
        if change.kind == "status" and board:
            return {"kind": "status", "agent": change.agent, "status": board.status}
        if change.kind == "config" and board:
            config = board.documents.get("config", {})
            if config.get("revision") != change.before.get("revision"):
                return {"kind": "config", "agent": change.agent, "by": config.get("by", "")}
        return None
