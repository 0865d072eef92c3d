"""What the edges of one line add up to."""

from __future__ import annotations

import threading

from piio_agent.counting.counts import Count
from piio_agent.counting.window import Mark, Window
from piio_agent.interfaces.contract import Edge


class Tally:
    """Takes each edge once, on the driver's thread, and asks for the same little time whatever is measured.

    Nothing is guessed: what was lost is counted as lost, and a period that something was lost in counts for nothing.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Held while an edge is taken: hold it to read a window, or to change what is measured."""
        self.counts = {"pulses": Count(), "lost": Count()}
        """The rising edges seen, and the edges of both kinds that were lost."""
        self.windows: list[Window] = []
        self.level: bool | None = None
        """The line's level now; None if not known."""
        self._told: bool | None = None
        """The level that the last edge told of; what was read may be ahead of the edges."""
        self._seq = 0
        self._rose_ns: int | None = None
        """When the period began that is still whole; None if there is none."""
        self._fell_ns = 0
        self._periods = self._covered_ns = self._high_ns = 0

    def interrupt(self) -> None:
        """Nobody looks for a while: what comes next does not continue what was."""
        with self.lock:
            self.level = self._told = self._rose_ns = None
            self._seq = 0

    def begin(self, level: bool) -> None:
        """Say what the line's level is, unless an edge has told it."""
        with self.lock:
            if self.level is None:
                self.level = level

    def take(self, edge: Edge) -> None:
        """Add an edge."""
        rising = edge.edge == "rising"
        with self.lock:
            # Two alike in a row: the one between them was not told of.
            lost = edge.lost or int(rising == self._told)
            # The driver read the level itself, for the edge to it is one of the lost.
            corrected = edge.lost and edge.seq == self._seq
            self.level = self._told = rising
            self._seq = edge.seq
            if lost:
                self.counts["lost"].value += lost
                self._rose_ns = None
            if corrected:
                return
            if rising:
                self.counts["pulses"].value += 1
                self._rise(edge.mono_ns)
            else:
                self._fell_ns = edge.mono_ns

    def _rise(self, now_ns: int) -> None:
        if self._rose_ns is not None:
            self._periods += 1
            self._covered_ns += now_ns - self._rose_ns
            self._high_ns += self._fell_ns - self._rose_ns
        self._rose_ns = now_ns
        if self.windows:
            mark = Mark(now_ns, self._periods, self._covered_ns, self._high_ns)
            for window in self.windows:
                window.mark(mark)
