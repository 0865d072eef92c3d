"""The clocks of the bridge, injected so that tests can turn them."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the bridge asks for the time."""

    def boottime(self) -> float:
        """Seconds since the machine started, suspension counted in: what ages are measured with."""
        ...

    def unix(self) -> float:
        """Unix seconds: what history and people are told."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def boottime(self) -> float:
        """Return CLOCK_BOOTTIME in seconds."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def unix(self) -> float:
        """Return Unix seconds."""
        return time.time()
