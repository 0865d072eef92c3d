"""What the history keeps of samples: of each tenth of a second the least and the greatest, each at its time."""

import numpy as np
from msgspec import Struct

from piio_bridge.data.point import PointState
from piio_bridge.data.record import Kept
from piio_bridge.equations import Column
from piio_schemas.blocks import Block

STRETCH_NS = 100_000_000
"""A tenth of a second: twenty values a second at most, whatever the rate."""

Sample = tuple[int, float]
"""Unix nanoseconds and value."""


class _Stretch(Struct):
    """What came since `begin_ns`."""

    begin_ns: int
    least: Sample
    most: Sample


class Extremes:
    """Gathers them over blocks, point by point."""

    def __init__(self) -> None:
        self._open: dict[bytes, _Stretch] = {}

    def take(self, point: PointState, block: Block, values: Column) -> list[Kept]:
        """Take a block's values; return what is to be kept, which is nothing until a stretch is complete."""
        found = _extremes(block, values)
        if found is None:
            return []
        least, most = found
        stretch = self._open.get(point.values_topic)
        if stretch is None or block.t_ns < stretch.begin_ns:  # or the clock was set back
            stretch = self._open[point.values_topic] = _Stretch(block.t_ns, least, most)
        stretch.least = min(stretch.least, least, key=_value)
        stretch.most = max(stretch.most, most, key=_value)
        if block.t_ns + len(values) * block.spacing_ns - stretch.begin_ns < STRETCH_NS:
            return []
        del self._open[point.values_topic]
        return _kept(point, stretch)


def _extremes(block: Block, values: Column) -> tuple[Sample, Sample] | None:
    if not len(values):
        return None
    low, high = int(values.argmin()), int(values.argmax())
    if not (np.isfinite(values[low]) and np.isfinite(values[high])):
        finite = np.isfinite(values)
        if not finite.any():
            return None
        low, high = int(np.where(finite, values, np.inf).argmin()), int(np.where(finite, values, -np.inf).argmax())
    at = [(block.t_ns + index * block.spacing_ns, float(values[index])) for index in (low, high)]
    return at[0], at[1]


def _value(sample: Sample) -> float:
    return sample[1]


def _kept(point: PointState, stretch: _Stretch) -> list[Kept]:
    first, second = sorted((stretch.least, stretch.most))
    at = first[0] // 1_000_000
    rows = [(point.agent, point.name, at, first[1])]
    if second[1] != first[1]:  # in one millisecond the history has one value
        rows.append((point.agent, point.name, max(at + 1, second[0] // 1_000_000), second[1]))
    return rows
