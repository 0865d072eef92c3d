"""Readings that come afterwards: they become history where nobody vouched for anything, and never values of now."""

import math

import msgspec
import numpy as np

from piio_bridge.data.point import PointState
from piio_bridge.data.readings import Readings
from piio_bridge.data.record import Late as Value
from piio_bridge.data.record import Record
from piio_schemas.topics import RAW, match

_DECODER = msgspec.json.Decoder(list[tuple[float, float | None]])

EARLIEST = 1e9
"""Unix seconds before which no board has read anything: whoever says so has no clock."""


class LateReadings:
    """Turns them into values by the configuration in force now, with no I/O in between.

    Only points of one channel get any: what other points were at that time is not known here, so points that are
    computed from others keep their gap.
    """

    def __init__(self, readings: Readings, record: Record, prefix: str) -> None:
        self._readings = readings
        self._record = record
        self._prefix = prefix

    def take(self, topic: str, payload: bytes) -> None:
        """Take one message; what is none is counted and changes nothing."""
        found = match(topic, self._prefix)
        try:
            readings = _DECODER.decode(payload)
        except msgspec.MsgspecError:
            self._readings.malformed += 1
            return
        times = [at for at, _ in readings]
        if found is None or times != sorted(times) or (times and not EARLIEST < times[0] <= times[-1] < 1e11):
            self._readings.malformed += 1
            return
        for point in self._readings.readers(RAW.at(self._prefix, **found.levels).encode()):
            if point.history and point.simple and readings:
                self._record.fill(point.agent, point.name, _values(point, readings))


def _values(point: PointState, readings: list[tuple[float, float | None]]) -> list[Value]:
    """What the equation makes of each raw; None where there is none, or it has no finite result."""
    raws = np.array([math.nan if raw is None else raw for _, raw in readings], np.float64)
    values = (raws if point.equation is None else point.equation.evaluate({"x": raws}, len(raws))).tolist()
    return [
        (int(at * 1000), value if raw is not None and math.isfinite(value) else None)
        for (at, raw), value in zip(readings, values, strict=True)
    ]
