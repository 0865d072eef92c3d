"""Whether a connection still hears: a broker that has stopped, or a cut link, says nothing of itself."""

from piio_schemas.beacons import DEAF

MUCH = 200.0
"""Messages a second behind which our own beacon may take long to come back: of thousands of boards at once."""

LONGEST_BEHIND = 60.0
"""Seconds that it may take there, until the connection counts as worth nothing all the same."""


class Hearing:
    """What is heard on one connection, by the boottime seconds at which it was."""

    def __init__(self) -> None:
        self._back_at = self._heard_at = self._looked_at = 0.0
        self._count = 0

    def begin(self, now: float) -> None:
        """A new connection: nothing of the one before counts."""
        self._back_at = self._heard_at = self._looked_at = now
        self._count = 0

    def beacon_back(self, now: float) -> None:
        """Our own beacon has come back."""
        self._back_at = self._heard_at = now

    def stood_still(self, now: float) -> None:
        """We ourselves did nothing for a while: what arrived meanwhile is still to be heard, before we call us deaf."""
        self._heard_at = now

    def took(self, messages: int) -> None:
        """So many messages came."""
        self._count += messages

    def deaf(self, now: float) -> bool:
        """Whether the own beacon has not come back for so long that the connection is worth nothing.

        Not while it may be behind much else: connecting anew would only make all of that come once more.
        """
        much = self._count >= MUCH * (now - self._looked_at) > 0
        self._count, self._looked_at = 0, now
        if much and now - self._back_at < LONGEST_BEHIND:
            self._heard_at = now
        return now - self._heard_at > DEAF
