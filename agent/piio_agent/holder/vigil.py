"""Whether the agent is there: its loop answers every ping, or it hangs, is deaf, or has died."""

PERIOD = 0.25
"""Seconds between two pings."""

PATIENCE = 1.5
"""Seconds without an answer after which the outputs are driven safe; done within two."""


class Vigil:
    """Judges by the answers alone, on the holder's own monotonic clock; an agent that died answers nothing either."""

    def __init__(self, now: float) -> None:
        self._until = now + PATIENCE
        self._looked_at = now

    def answered(self, now: float) -> None:
        """The agent's loop is there."""
        self._until = now + PATIENCE

    def left(self, until: float) -> None:
        """The agent said that it comes back: wait for it until then."""
        self._until = max(self._until, until)

    def missing(self, now: float) -> bool:
        """Whether nothing was heard for too long; to be asked every period."""
        if now - self._looked_at > 2 * PERIOD:
            # It was we who stood still: what the agent said meanwhile may not have been read.
            self._until = max(self._until, now + 2 * PERIOD)
        self._looked_at = now
        return now >= self._until
