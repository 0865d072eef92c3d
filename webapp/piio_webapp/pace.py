"""How often pages are told: at once after silence, and evenly when there is much to tell."""

from msgspec import Struct

MOST = 20
"""Frames of a page in any second."""

MOST_IN_ALL = 600
"""Frames of all pages in a second: of more than thirty that hear much each gets fewer, which nobody sees."""

EVERY = 1 / (MOST - 2)
"""Seconds between two frames of many; the two that may go at once come on top."""


class Pace(Struct):
    """When the next frame may go, on the monotonic clock."""

    due: float = 0.0
    """When it would go if they all went evenly."""
    every: float = EVERY
    """Seconds between two then."""

    def wait(self, now: float) -> float:
        """Return the seconds until the next may go; 0: at once, as one is always to spare."""
        return max(0.0, self.due - self.every - now)

    def gone(self, now: float, pages: int = 1) -> None:
        """Count one that goes now, so many pages being open."""
        self.every = max(EVERY, pages / MOST_IN_ALL)
        self.due = max(self.due, now) + self.every
