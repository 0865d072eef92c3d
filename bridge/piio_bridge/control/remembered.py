"""The ids of sets, known for a minute, so that none is carried out twice and each repetition is answered as before."""

from collections import OrderedDict

from msgspec import Struct

from piio_bridge.clock import Clock
from piio_bridge.control.trail import Asked
from piio_schemas.commands import SetResult

REMEMBERED = 60.0
"""Seconds for which the id of a set is known."""

MOST_REMEMBERED = 10_000


class Remembered(Struct):
    """A set with an id: what it asked, when, and what became of it."""

    payload: bytes
    at: float
    result: SetResult | None = None


class RememberedSets:
    """What was asked lately; the oldest are forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sets: OrderedDict[tuple[str, str | None, str], Remembered] = OrderedDict()

    def meet(self, asked: Asked, payload: bytes) -> Remembered | None:
        """Return the set before of the same point and id; where there is none, remember this one."""
        now = self._clock.boottime()
        while self._sets and (
            next(iter(self._sets.values())).at < now - REMEMBERED or len(self._sets) >= MOST_REMEMBERED
        ):
            self._sets.popitem(last=False)
        before = self._sets.get(_key(asked))
        if before is None:
            self._sets[_key(asked)] = Remembered(payload, now)
        return before

    def note(self, asked: Asked, result: SetResult, *, corrected: bool = False) -> None:
        """Note what became of a set; once noted, only a correction changes it."""
        remembered = self._sets.get(_key(asked))
        if remembered and (remembered.result is None or corrected):
            remembered.result = result


def _key(asked: Asked) -> tuple[str, str | None, str]:
    return asked.board, asked.point, asked.id
