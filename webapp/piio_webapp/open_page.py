"""One page of one person: what it looks at, what it has not been told yet, and how far it is behind."""

import time
from collections import deque
from typing import Any

from msgspec import Struct, field

from piio_webapp.people import Who

MOST_UNACKNOWLEDGED = 2
"""Frames under way to a page; a slow one gets fewer, never a queue."""

MOST_OPEN = 16
"""Sets and requests of a page that may wait for their answers at once."""

MOST_NOTES = 20
EVENTS_PER_SECOND = 40.0
BURST = 120.0


class Allowance(Struct):
    """How many events a page may still send now; it fills up with time."""

    left: float = BURST
    at: float = field(default_factory=time.monotonic)

    def taken(self) -> bool:
        """Take one; False when there is none left."""
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.at) * EVENTS_PER_SECOND)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class OpenPage(Struct, eq=False):
    """What the web app keeps for a page; guarded by the cache's lock."""

    sid: str
    login: str
    who: Who
    """Whose log-in it is; it ends when the person is changed, so this never is."""
    address: str
    """Where the browser is, as far as the web app can tell."""
    agent: str | None = None
    """The board it looks at; None: the list of boards."""
    raws: bool = False
    """Whether it wants raw values too, as the page of the configuration does."""
    full: bool = False
    """Whether everything has to be told, as after a look."""
    looking: bool = False
    changed: dict[str, set[str]] = field(default_factory=dict)
    """By kind, which readings, documents or boards have changed since the last frame; a set, so that newest wins."""
    answers: deque[Any] = field(default_factory=deque)
    notes: deque[Any] = field(default_factory=lambda: deque(maxlen=MOST_NOTES))
    open: int = 0
    unacknowledged: int = 0
    told_at: float = 0.0
    allowance: Allowance = field(default_factory=Allowance)

    def touch(self, kind: str, key: str) -> None:
        """Remember that something has to be told."""
        self.changed.setdefault(kind, set()).add(key)

    def look(self, agent: str | None, raws: bool) -> None:
        """Turn to a board or to the list; everything of it is told in the next frame."""
        self.agent, self.raws = agent, raws
        self.looking = self.full = True
        self.changed.clear()

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell."""
        return bool(self.full or self.changed or self.answers or self.notes)

    @property
    def keeps_up(self) -> bool:
        """Whether the page has taken what it was sent."""
        return self.unacknowledged < MOST_UNACKNOWLEDGED

    @property
    def may_ask(self) -> bool:
        """Whether it may have one more answer outstanding."""
        return self.open < MOST_OPEN
