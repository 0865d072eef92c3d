"""Who is told what goes into the history; returns at once, whatever the disk does, or lets the writer go first."""

from collections.abc import Sequence
from typing import Protocol

Late = tuple[int, float | None]
"""Unix milliseconds and the value from then on; None: from then on nobody knows it."""


Kept = tuple[str, str, int, float]
"""Agent, point, Unix milliseconds, value."""


class Record(Protocol):
    """The history, as the data plane sees it; times are Unix milliseconds."""

    def keep(self, values: Sequence[Kept]) -> None:
        """Keep values; where very many wait, the writer gets its turn: a thread that never rests would starve it."""
        ...

    def vouch(self, agent: str, point: str, t_ms: int, good: bool) -> None:
        """From then on a point's value is vouched for (its quality is good), or is not."""
        ...

    def fill(self, agent: str, point: str, late: Sequence[Late]) -> None:
        """Keep values that come afterwards, where nobody has vouched for others."""
        ...

    def alive(self, t_ms: int) -> None:
        """Until then somebody saw to all points."""
        ...
