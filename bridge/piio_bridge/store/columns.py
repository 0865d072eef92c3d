"""Values as columns of numbers: what the writer of the history works on, thousands at a time."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class Columns(Struct, frozen=True):
    """Values in the order of the history's key, one for each millisecond of a point."""

    points: Integers
    times: Integers
    """Unix milliseconds."""
    values: Floats

    @classmethod
    def of(cls, points: Sequence[int], times: Sequence[int], values: Sequence[float], since: int) -> "Columns":
        """Put values in order: of two in one millisecond the later stays; no number, or one before `since`, goes."""
        point, time, value = np.array(points, np.int64), np.array(times, np.int64), np.array(values, np.float64)
        order = np.lexsort((time, point))
        point, time, value = point[order], time[order], value[order]
        wanted = np.isfinite(value) & (time >= since)
        wanted[:-1] &= (point[1:] != point[:-1]) | (time[1:] != time[:-1])
        return cls(point[wanted], time[wanted], value[wanted])

    def __len__(self) -> int:
        return len(self.points)
