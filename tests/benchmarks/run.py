"""One run of benchmarks: how often each is repeated, with whom it is compared, and who hears how far it is."""

import statistics
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct

Numbers = Mapping[str, float]
"""What one round of somebody's came to, by name."""

Who = TypeVar("Who", bound=str)


class Run(Struct, frozen=True):
    """What each benchmark is told."""

    rounds: int = 3
    """How often each is measured; what comes out is the median of them."""
    peers: bool = False
    """Whether programs of others are measured, too, which are fetched for it."""
    say: Callable[[str], None] = print
    """Hears in a few words how far it is."""

    def interleaved(self, contenders: Mapping[Who, Callable[[], Numbers]]) -> dict[Who, dict[str, float]]:
        """Measure all in turns, so that what disturbs one disturbs the others, and return the medians of each.

        A contender that begins in one round ends in the next: nobody always comes first.
        """
        found: dict[Who, list[Numbers]] = {who: [] for who in contenders}
        for number in range(self.rounds):
            order = list(contenders) if number % 2 == 0 else list(reversed(contenders))
            for who in order:
                self.say(f"round {number + 1} of {self.rounds}: {who}")
                found[who].append(contenders[who]())
        return {who: medians(rounds) for who, rounds in found.items()}


def medians(rounds: list[Numbers]) -> dict[str, float]:
    """Return the median of each number over all rounds."""
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
