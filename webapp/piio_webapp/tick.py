"""This run of the web app and its clock, which pages echo in their sets."""

import secrets
import time

from msgspec import Struct

BOOT = secrets.token_hex(6)
"""Random per start of the process."""


class PageTick(Struct, frozen=True, forbid_unknown_fields=True):
    """Which frame was the newest that a page had seen."""

    boot: str
    tick: float

    @property
    def age(self) -> float:
        """Seconds since that frame was sent; infinite for another run's, or one that was never sent."""
        age = tick() - self.tick
        return age if self.boot == BOOT and age >= 0 else float("inf")


def tick() -> float:
    """Return the seconds of CLOCK_BOOTTIME."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
