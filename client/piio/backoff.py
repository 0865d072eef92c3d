"""What lies between two connections: a pause that spreads a crowd, and a complaint that is made once."""

import random

FIRST = 1.0
LONGEST = 5.0


class Backoff:
    """Pauses of a random 0 to 1 s, doubling to at most 5 s while nothing answers."""

    def __init__(self) -> None:
        self._longest = FIRST
        self._complaint = ""

    def connected(self) -> None:
        """Begin anew: the broker has answered."""
        self._longest, self._complaint = FIRST, ""

    def is_news(self, error: Exception) -> bool:
        """Whether an error says something else than the one before it since the last connection."""
        before, self._complaint = self._complaint, str(error)
        return self._complaint != before

    def pause(self) -> float:
        """Return the seconds to wait before the next try."""
        seconds = random.uniform(0, self._longest)
        self._longest = min(self._longest * 2, LONGEST)
        return seconds
