"""Complaints about what others send: all are counted, few are written down."""

import logging
from typing import Protocol

log = logging.getLogger(__name__)

SILENCE = 60.0
"""Seconds between two log lines about the same thing."""


class Clock(Protocol):
    """What tells how long ago the last line was."""

    def boottime(self) -> float:
        """Seconds since the machine started, suspension counted in."""
        ...


class Complaints:
    """Counts what was refused; a flood of bad messages makes one log line a minute for each kind."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}
        self.count = 0

    def note(self, kind: str, text: str) -> None:
        """Refuse something of a kind (a word of ours, never a stranger's text) and say why."""
        self.count += 1
        now = self._clock.boottime()
        said = self._said.get(kind)
        if said is not None and now - said < SILENCE:
            self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
            return
        more = self._unsaid.pop(kind, 0)
        self._said[kind] = now
        log.warning("%s%s", text, f" ({more} more like it since the last line)" if more else "")
