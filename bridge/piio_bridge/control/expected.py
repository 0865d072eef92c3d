"""What outputs are about to be, until their raws say it: the raws come on another connection than the results."""

from msgspec import Struct

from piio_bridge.clock import Clock

BELIEVED = 0.5
"""Seconds after a result for which it is newer than the raw that was heard last."""

Place = tuple[str, str, str]
"""Agent, interface, channel."""


class _Expectation(Struct):
    id: str
    raw: float
    until: float
    pulse: bool


class Expected:
    """The raws of the newest writes, so that two toggles in a row are an on and an off."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: dict[Place, _Expectation] = {}

    def wrote(self, place: Place, id: str, raw: float, within: float, *, pulse: bool) -> None:
        """A write is on its way, and its result known within so many seconds."""
        self._newest[place] = _Expectation(id, raw, self._clock.boottime() + within, pulse)

    def ended(self, place: Place, id: str, read: float | None) -> None:
        """A write's outcome is known; `read` is None unless it was done. A pulse ends when the agent says so."""
        found = self._newest.get(place)
        if found is None or found.id != id:
            return
        if read is None or found.pulse:
            del self._newest[place]
        else:
            found.raw, found.until = read, self._clock.boottime() + BELIEVED

    def raw(self, place: Place) -> float | None:
        """Return what an output is about to be; None if nothing is under way: its raw says what it is."""
        found = self._newest.get(place)
        return found.raw if found and self._clock.boottime() < found.until else None
