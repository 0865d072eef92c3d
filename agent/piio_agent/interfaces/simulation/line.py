"""One line of a simulated board: who holds it, what drives it, what its holder has noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from piio_agent.interfaces.contract import Direction
from piio_agent.interfaces.line_settings import LineSettings
from piio_agent.interfaces.simulation.pacemaker import Watch
from piio_agent.interfaces.simulation.trace import By


@dataclass
class Line:
    """The state of one line; levels are electrical, 0 or 1, and None where nothing drives."""

    PULLS: ClassVar = {"pull-up": 1, "pull-down": 0, "disabled": None}

    channel: str
    direction: Direction | None = None
    """None: nobody has it open."""
    settings: LineSettings = LineSettings()  # noqa: RUF009 (frozen)
    drives: int | None = None
    """What the board's own output makes of the line."""
    outside: int | None = None
    """What the world outside makes of it."""
    pull: int | None = None
    """The resistor; it stays as the last bias that was asked for, as on a Pi."""
    level: int = 0
    """What the line is now."""
    sensed: int = 0
    """What its input has noticed: `level`, unless that is still being debounced."""
    unsettled: int = 0
    """Counts changes, so that a debounce overtaken by another change knows it."""
    bouncing: tuple[int, float] | None = None
    """How often an outside change bounces, and how far apart (s)."""
    moves: int = 0
    """Counts what the outside does, so that bounces overtaken by it know."""
    seq: int = 0
    watch: Watch | None = None

    @property
    def label(self) -> str:
        """What people call it."""
        return f"GPIO{self.channel}"

    def raw(self, level: int) -> int:
        """The logical value of a level, or the level of a logical value."""
        return level ^ self.settings.active_low

    def drive(self, raw: int) -> None:
        """Drive the line as its `drive` says: an open drain only pulls low, an open source only high."""
        level = self.raw(raw)
        released = {"open-drain": 1, "open-source": 0}.get(self.settings.drive)
        self.drives = None if level == released else level

    def hold(self, direction: Direction, settings: LineSettings) -> None:
        """Take the line as an input, or as an output that does not drive yet."""
        self.direction, self.settings, self.drives = direction, settings, None
        if settings.bias != "as-is":
            self.pull = self.PULLS[settings.bias]
        self.unwatch()
        self.seq = 0
        self.unsettled += 1

    def release(self) -> None:
        """Let go of the line."""
        self.unwatch()
        self.direction, self.drives = None, None

    def unwatch(self) -> None:
        """Nobody waits for edges any more."""
        if self.watch:
            self.watch.active = False
        self.watch = None


def level_of(net: Sequence[Line]) -> tuple[int, By]:
    """The level of lines that are wired together, and who makes it.

    Outputs win over the outside world (a person with a button), the outside wins over pulls, and a net that nothing
    drives is low. Among equals low wins, as between two transistors of which the lower is the stronger.
    """
    kinds: tuple[tuple[By, list[int | None]], ...] = (
        ("output", [line.drives for line in net]),
        ("outside", [line.outside for line in net]),
        ("pull", [line.pull for line in net]),
    )
    for by, levels in kinds:
        driven = [level for level in levels if level is not None]
        if driven:
            return min(driven), by
    return 0, "released"


def contended(net: Sequence[Line]) -> bool:
    """Whether an output is driven against another one or against the outside world: on a real board, a short."""
    strong = {line.drives for line in net} | {line.outside for line in net}
    return any(line.drives is not None for line in net) and {0, 1} <= strong
