"""Samples as a screen can show them: of each stretch of time the least and the greatest."""

import math
from array import array
from collections import deque
from collections.abc import Iterator

from msgspec import Struct, field

from piio_schemas.blocks import Block

MOST = 500
"""Stretches of one point that wait for a page; of a page that falls behind the oldest are not shown."""

Stretch = tuple[float, float, float]
"""Unix seconds at which it begins, least and greatest sample; what of it is in the next block comes anew."""


class Samples(Struct, eq=False):
    """What came of one point, in stretches of `width` seconds, each with the number of its change."""

    width: float
    stretches: deque[tuple[int, Stretch]] = field(default_factory=lambda: deque(maxlen=MOST))

    def take(self, block: Block, number: int) -> None:
        """Take a block in."""
        for stretch in thinned(block, self.width):
            self.stretches.append((number, stretch))

    def since(self, number: int) -> list[Stretch]:
        """Return the stretches of changes after a number."""
        found = []
        for changed, stretch in reversed(self.stretches):
            if changed <= number:
                break
            found.append(stretch)
        return found[::-1]


def thinned(block: Block, width: float) -> Iterator[Stretch]:
    """Give the stretches of a block, in their order; samples that are no number are left out."""
    long = max(1, round(width * 1e9))
    first, count = 0, len(block.samples)
    while first < count:
        at = (block.t_ns + first * block.spacing_ns) // long
        left = (at + 1) * long - block.t_ns
        after = min(count, -(-left // block.spacing_ns)) if block.spacing_ns else count
        found = _numbers(block.samples[first:after])
        if found:
            yield at * long / 1e9, min(found), max(found)
        first = after


def _numbers(samples: "array[float]") -> "array[float] | list[float]":
    return [each for each in samples if each == each] if math.isnan(sum(samples)) else samples
