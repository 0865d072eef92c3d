"""One board as it was last heard of."""

from typing import Any

from msgspec import Struct, field

from piio_schemas.states import GOOD, OFFLINE
from piio_schemas.stopping import STOPPED


class HeardBoard(Struct):
    """One board as last heard of."""

    status: str = OFFLINE
    seen: float | None = None
    """Unix seconds of the last sign of life heard."""
    documents: dict[str, Any] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    qualities: dict[str, str] = field(default_factory=dict)
    raws: dict[str, float] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    """Points whose value is what the broker had kept: nobody knows for how long it has been so."""

    @property
    def summary(self) -> dict[str, Any]:
        """What the list of boards shows of it."""
        machine = self.documents.get("capabilities", {}).get("board") or {}
        points = self.documents.get("config", {}).get("points", {})
        applied = self.documents.get("applied", {}).get("points", {})
        return {
            "status": self.status,
            "seen": self.seen,
            "model": machine.get("model", ""),
            "hostname": machine.get("hostname", ""),
            "points": len(points),
            "stopped": sum(_is_stopped(point) for point in applied.values()),
            "not_good": sum(self.qualities.get(point) != GOOD for point in points),
        }


def _is_stopped(point: Any) -> bool:
    """Whether what a board says of a point is that somebody stopped it, and nobody has set it since."""
    return isinstance(point, dict) and str(point.get("fail_safe") or "").startswith(STOPPED)
