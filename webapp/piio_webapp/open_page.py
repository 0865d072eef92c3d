"""One page of one person: what it has been told, and how far it is behind."""

import time
from collections import deque
from typing import Any

from msgspec import Struct, field

from piio_webapp.people import Who

MOST_UNACKNOWLEDGED = 2
"""Frames under way that a page was asked to acknowledge; a slow one gets fewer, never a queue."""

ASKED_EVERY = 0.4
"""Seconds after which a page acknowledges one frame for all: hearing that costs more than sending it."""

SLOW = 0.25
"""Seconds to an acknowledgement from which on a page acknowledges every frame, and has two under way at most."""

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
    told: int = 0
    """The newest change of its view that it was told."""
    full: bool = False
    """Whether everything has to be told, as after a look."""
    answers: deque[Any] = field(default_factory=deque)
    notes: deque[Any] = field(default_factory=lambda: deque(maxlen=MOST_NOTES))
    open: int = 0
    unacknowledged: int = 0
    """Frames under way that it was asked to acknowledge."""
    asked_at: float = 0.0
    slow: bool = False
    """Whether it took its time to acknowledge: then it is asked each time."""
    told_at: float = 0.0
    allowance: Allowance = field(default_factory=Allowance)

    def look(self) -> None:
        """Turn to another view; everything of it is told in the next frame."""
        self.full = True

    def has_news(self, number: int) -> bool:
        """Whether there is something to tell, if the newest change of its view has this number."""
        return bool(self.full or self.told < number or self.answers or self.notes)

    @property
    def keeps_up(self) -> bool:
        """Whether the page has taken what it was sent."""
        return self.unacknowledged < MOST_UNACKNOWLEDGED

    def sent(self, now: float) -> bool:
        """Count a frame that goes now; whether the page is to acknowledge it."""
        self.told_at = now
        if not self.slow and now - self.asked_at < ASKED_EVERY:
            return False
        self.asked_at = now
        self.unacknowledged += 1
        return True

    def took(self, seconds: float) -> None:
        """Count an acknowledgement that came so long after its frame had gone."""
        self.unacknowledged -= 1
        self.slow = seconds > SLOW

    @property
    def may_ask(self) -> bool:
        """Whether it may have one more answer outstanding."""
        return self.open < MOST_OPEN
