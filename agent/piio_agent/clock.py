"""The clock that everything in the agent asks, so that tests can turn it by hand."""

from __future__ import annotations

import threading
import time
from typing import Protocol

NS = 1_000_000_000


class Clock(Protocol):
    """The four clocks of a board, in seconds (float) or nanoseconds (`_ns`)."""

    def monotonic(self) -> float:
        """Seconds that never step; they stand still while the board is suspended."""
        ...

    def monotonic_ns(self) -> int:
        """The same in nanoseconds: the clock of the kernel's edge timestamps."""
        ...

    def boottime(self) -> float:
        """Seconds since boot, suspension included: the tick of the beacons."""
        ...

    def unix(self) -> float:
        """Seconds since 1970; it steps when somebody sets the board's time."""
        ...

    def unix_ns(self) -> int:
        """The same in nanoseconds."""
        ...


class SystemClock:
    """The kernel's clocks."""

    def monotonic(self) -> float:
        """CLOCK_MONOTONIC in seconds."""
        return time.monotonic()

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC in nanoseconds."""
        return time.monotonic_ns()

    def boottime(self) -> float:
        """CLOCK_BOOTTIME in seconds."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def unix(self) -> float:
        """CLOCK_REALTIME in seconds."""
        return time.time()

    def unix_ns(self) -> int:
        """CLOCK_REALTIME in nanoseconds."""
        return time.time_ns()


TRIES = 5
HELD_UP = 20_000
"""Nanoseconds between two looks at a clock; some 200 are usual."""


def unix_ahead_ns(clock: Clock) -> int:
    """By how many nanoseconds Unix time is ahead of the monotonic clock, asked again if we were held up in between."""
    looks: list[tuple[int, int]] = []
    while not looks or (min(looks)[0] > HELD_UP and len(looks) < TRIES):
        before, unix, after = clock.monotonic_ns(), clock.unix_ns(), clock.monotonic_ns()
        looks.append((after - before, unix - (before + after) // 2))
    return min(looks)[1]


class ManualClock:
    """A clock that moves only when told to; `unix` starts at `start` seconds, the others at 0."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._monotonic_ns = 0
        self._unix_ns = round(start * NS)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on every clock."""
        with self._lock:
            self._monotonic_ns += round(seconds * NS)
            self._unix_ns += round(seconds * NS)

    def step(self, seconds: float) -> None:
        """Step only the Unix clock, as somebody does who sets the board's time."""
        with self._lock:
            self._unix_ns += round(seconds * NS)

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._monotonic_ns / NS

    def monotonic_ns(self) -> int:
        """Nanoseconds advanced so far."""
        return self._monotonic_ns

    def boottime(self) -> float:
        """Seconds advanced so far: a manual board is never suspended."""
        return self._monotonic_ns / NS

    def unix(self) -> float:
        """The start plus what was advanced and stepped, in seconds."""
        return self._unix_ns / NS

    def unix_ns(self) -> int:
        """The same in nanoseconds."""
        return self._unix_ns
