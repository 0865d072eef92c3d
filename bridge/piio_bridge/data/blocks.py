"""From blocks of raws to blocks of values: the equation over all samples of a block at once, with no I/O in between."""

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from piio_bridge.data.extremes import Extremes
from piio_bridge.data.packets import Outgoing
from piio_bridge.data.point import PointState
from piio_bridge.data.readings import Readings
from piio_bridge.data.record import Kept
from piio_bridge.equations import Column
from piio_schemas.blocks import MOST_LOST, Block, BlockError, capacity, read_block

SHORT = ("H", "h")
"""Types of raws of 16 bits, whose values are f32: that has more digits than they have; others become f64."""

MOST_F32 = float(np.finfo(np.float32).max)


class Blocks:
    """Turns blocks into those of the points that asked for them; what has no value is counted in the next one's `lost`.

    Owned by the thread that owns the readings. Blocks of edges have no values.
    """

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._lost: dict[bytes, int] = {}
        self._extremes = Extremes()

    def take(self, batch: Iterable[tuple[bytes, bytes]]) -> list[Outgoing]:
        """Take blocks in their order and return what becomes of them, none of it to be retained."""
        out: list[Outgoing] = []
        kept: list[Kept] = []
        for topic, payload in batch:
            try:
                block = read_block(payload)
            except BlockError:
                self._readings.malformed += 1
                continue
            if not block.has_edges:
                for point in self._readings.sampled(topic):
                    out += self._turn(point, block, kept)
        if kept:
            self._readings.record.keep(kept)
        return out

    def _turn(self, point: PointState, block: Block, kept: list[Kept]) -> Iterator[Outgoing]:
        lost = min(self._lost.pop(point.values_topic, 0) + block.lost, MOST_LOST)
        values = self._values(point, np.asarray(block.samples, np.float64))
        if values is None:
            self._lost[point.values_topic] = min(lost + len(block.samples), MOST_LOST)
            return
        if point.history:
            kept += self._extremes.take(point, block, values)
        samples = _packed(values, block.samples.typecode)
        step = capacity(samples.typecode)
        for first in range(0, len(samples), step):
            t_ns = block.t_ns + first * block.spacing_ns
            part = Block(t_ns, block.spacing_ns, samples[first : first + step], block.flags, 0 if first else lost)
            yield point.values_topic, part.to_bytes()

    def _values(self, point: PointState, raws: Column) -> Column | None:
        """What the equation makes of each raw, NaN where it is not finite; None if another point has no value now."""
        if point.equation is None:
            return raws
        board = self._readings.boards[point.agent]
        columns = {"x": raws}
        for name in point.dependencies:
            other = board.points[name]
            if other.lacking or other.value is None:
                return None
            columns[name] = np.full(len(raws), other.value)
        return point.equation.evaluate(columns, len(raws))


def _packed(values: Column, typecode: str) -> "array[float]":
    """The values as an array: of f32 if the raws were short and all of them fit."""
    short = typecode in SHORT and not bool(np.any(np.abs(values) > MOST_F32))
    packed = array("f" if short else "d")
    packed.frombytes(values.astype(packed.typecode).tobytes())
    return packed
