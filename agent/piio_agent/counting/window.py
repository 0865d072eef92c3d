"""Frequency, period and duty of a line over the newest part of its past."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from piio_agent.clock import NS

MARKS = 256
"""Rising edges remembered of a window, evenly spread: more would cost memory and gain nothing."""


class Mark(NamedTuple):
    """A rising edge: when it was, and what whole periods had come to by then."""

    t_ns: int
    periods: int
    covered_ns: int
    """The time of these periods."""
    high_ns: int
    """How much of it the line was high."""


class Window:
    """The whole periods of the last `seconds`, each from one rising edge to the next, and at least the last one.

    As in a reciprocal counter (Hewlett-Packard, Application Note 200) n periods are divided by their own time and not
    by the window's, so that a steady signal is measured exactly, whatever the window. When the next edge is overdue the
    frequency is what it would be if that edge came now, and a line that had none for longer than the window and twice
    the mean period is at rest. Not thread-safe: its tally holds a lock.
    """

    def __init__(self, seconds: float) -> None:
        self._ns = round(seconds * NS)
        self._spacing = self._ns // MARKS
        self._marks: deque[Mark] = deque()
        self._newest: Mark | None = None

    def mark(self, newest: Mark) -> None:
        """Take a rising edge."""
        self._newest = newest
        marks = self._marks
        if marks and marks[-1].periods == newest.periods:
            marks[-1] = newest  # nothing was whole in between: the later one begins what comes
        elif not marks or newest.t_ns - marks[-1].t_ns >= self._spacing:
            marks.append(newest)
            self._drop(newest.t_ns)

    def frequency(self, now_ns: int) -> float:
        """Rising edges a second; 0 at rest."""
        measured = self._measured(now_ns)
        if measured is None:
            return 0.0
        periods, covered, _, since = measured
        return NS * min(periods / covered, (periods + 1) / (covered + since))

    def duty(self, now_ns: int) -> float | None:
        """The part of the time that the line was high, 0 to 1; None at rest."""
        measured = self._measured(now_ns)
        return measured[2] / measured[1] if measured else None

    def _measured(self, now_ns: int) -> tuple[int, int, int, int] | None:
        """Periods, their time, how much of it high, and the time since the last edge; None at rest."""
        newest = self._newest
        if newest is None:
            return None
        self._drop(now_ns)
        first = self._marks[0]
        periods, covered = newest.periods - first.periods, newest.covered_ns - first.covered_ns
        since = max(0, now_ns - newest.t_ns)
        if covered <= 0 or since > max(self._ns, 2 * covered / periods):
            return None
        return periods, covered, newest.high_ns - first.high_ns, since

    def _drop(self, now_ns: int) -> None:
        """Forget the marks before the window, but for one with a whole period behind it."""
        marks, newest = self._marks, self._newest
        while newest and len(marks) > 1 and marks[0].t_ns < now_ns - self._ns and marks[1].periods < newest.periods:
            marks.popleft()
