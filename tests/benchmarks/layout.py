"""Which boards take part in a benchmark of the bridge, and what their points are."""

from typing import Any

from msgspec import Struct


class Layout(Struct, frozen=True):
    """Boards `b0`, `b1`, … with channels 0, 1, … of an interface `adc`, each a point `p0`, `p1`, … in percent."""

    boards: int = 10
    points: int = 8
    """On each board."""
    equations: int = 1
    """How many different ones there are; they go round all points of all boards."""
    sample_rate: float | None = None
    """Samples a second of each point that come in blocks; None: readings, one by one."""
    history: bool = False
    """Whether the bridge keeps all values; nobody it is compared with does."""

    def names(self) -> list[str]:
        """The boards."""
        return [f"b{number}" for number in range(self.boards)]

    def capabilities(self, board: str) -> dict[str, Any]:
        """What a board says it has."""
        channel = {"directions": ["input"], "kind": "analog", "low": 0, "high": 1023}
        channels = {str(number): {"label": f"ADC{number}", **channel} for number in range(self.points)}
        adc = {"driver": "played", "title": "ADC", "ok": True, "fastest": 100_000_000, "channels": channels}
        return {"agent": board, "boot": "bench", "software": "bench", "board": {}, "interfaces": {"adc": adc}}

    def configuration(self, board: str) -> dict[str, Any]:
        """What a board is to be: the equations that the load driver expects."""
        first = int(board.removeprefix("b")) * self.points
        return {
            "points": {f"p{number}": self._point(number, first + number) for number in range(self.points)},
            "displays": {},
        }

    def equation(self, point: int) -> str:
        """The equation of a point, counted over all boards."""
        added = point % self.equations
        return f"x / 1023 * 100 + {added}" if added else "x / 1023 * 100"

    def _point(self, channel: int, point: int) -> dict[str, Any]:
        fields = {"interface": "adc", "channel": str(channel), "equation": self.equation(point), "unit": "%"}
        sampled = {"sample_rate": self.sample_rate} if self.sample_rate else {}
        return {"direction": "input", **fields, "history": self.history, **sampled}
