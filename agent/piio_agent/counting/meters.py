"""What one counting channel reads of its line; whoever calls a method holds the lock of the line's tally."""

from __future__ import annotations

from typing import Protocol

from piio_agent.counting.counts import Count
from piio_agent.counting.tally import Tally
from piio_agent.counting.window import Window

COUNTS = ("pulses", "lost")
"""The measures that are counts; the others are of a window."""


class Meter(Protocol):
    """Measures a line while it is attached to the line's tally."""

    def attach(self, tally: Tally) -> None:
        """Measure from now on."""
        ...

    def detach(self, tally: Tally) -> None:
        """Measure no longer."""
        ...

    def read(self, tally: Tally, now_ns: int) -> float | None:
        """What it is now; None: there is nothing to measure."""
        ...


class CountMeter:
    """Pulses, or edges lost: a count goes on from where it was left."""

    def __init__(self, measure: str, count: Count) -> None:
        self._measure = measure
        self._count = count

    def attach(self, tally: Tally) -> None:
        """Let the count grow."""
        tally.counts[self._measure] = self._count

    def detach(self, tally: Tally) -> None:
        """Leave the count as it is."""
        tally.counts[self._measure] = Count()

    def read(self, tally: Tally, now_ns: int) -> float:  # noqa: ARG002
        """The count."""
        return float(self._count.value)


class WindowMeter:
    """Frequency, period or duty over a window, which is empty at first."""

    def __init__(self, measure: str, seconds: float) -> None:
        self._measure = measure
        self._window = Window(seconds)

    def attach(self, tally: Tally) -> None:
        """Take the rising edges from now on."""
        tally.windows.append(self._window)

    def detach(self, tally: Tally) -> None:
        """Take no more."""
        tally.windows.remove(self._window)

    def read(self, tally: Tally, now_ns: int) -> float | None:
        """Hz, seconds or 0 to 1; a line at rest has 0 Hz, no period, and the duty that its level is."""
        if self._measure == "duty":
            duty = self._window.duty(now_ns)
            return float(bool(tally.level)) if duty is None else duty
        frequency = self._window.frequency(now_ns)
        if self._measure == "frequency":
            return frequency
        return 1 / frequency if frequency else None
