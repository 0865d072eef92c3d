"""How often pages are told: at once after silence, and evenly when there is much to tell."""

from msgspec import Struct

MOST = 20
"""Frames in any second."""

EVERY = 1 / (MOST - 2)
"""Seconds between two frames of many; the two that may go at once come on top."""


class Pace(Struct):
    """When the next frame may go, on the monotonic clock."""

    due: float = 0.0
    """When it would go if they all went evenly."""

    def wait(self, now: float) -> float:
        """Return the seconds until the next may go; 0: at once, as one is always to spare."""
        return max(0.0, self.due - EVERY - now)

    def gone(self, now: float) -> None:
        """Count one that goes now."""
        self.due = max(self.due, now) + EVERY
