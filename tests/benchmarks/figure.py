"""What a benchmark found: a number, what others came to in the same run, and what it should come to."""

from msgspec import Struct, field


class Reach(Struct, frozen=True):
    """What a figure should come to: a number, or so many times what somebody else came to in the same run."""

    number: float
    at_least: bool
    of: str | None = None
    """Whom it is a multiple of: a key of the figure's `compared`."""


def at_least(number: float, of: str | None = None) -> Reach:
    """Reached by a figure that is no less."""
    return Reach(number, True, of)


def at_most(number: float, of: str | None = None) -> Reach:
    """Reached by a figure that is no more."""
    return Reach(number, False, of)


class Figure(Struct, frozen=True, kw_only=True):
    """One row of the table: the median of a benchmark's rounds."""

    what: str
    """In a few words, without the unit."""
    number: float
    unit: str
    """As it stands after the number: `/s`, `ms`, `µs`, `MB`, `of a core`."""
    compared: dict[str, float] = field(default_factory=dict)
    """What others came to in the same run, by their names, in the same unit."""
    reach: Reach | None = None
    pictured: bool = False
    """Whether the picture shows it: for what is compared with other programs."""

    def ratio(self, other: str) -> float | None:
        """How many times what another came to; None if that was nothing."""
        return self.number / self.compared[other] if self.compared[other] else None

    @property
    def met(self) -> bool | None:
        """Whether it is reached; None where nothing is asked, or who it is a multiple of was not measured."""
        if self.reach is None or (self.reach.of is not None and self.reach.of not in self.compared):
            return None
        asked = self.reach.number * (self.compared[self.reach.of] if self.reach.of else 1.0)
        return self.number >= asked if self.reach.at_least else self.number <= asked
