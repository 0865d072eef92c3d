"""Whether an interface can give all the readings a second that a configuration asks of it, and what it could."""

import math
from collections.abc import Iterable, Mapping, Sequence

from piio_schemas.configuration import InputPoint, Point, Problem
from piio_schemas.states import InterfaceCapability

SLACK = 1 + 1e-9
"""What sums of fractions may be over."""


def excessive_rates(
    points: Mapping[str, Point], interfaces: Mapping[str, InterfaceCapability]
) -> dict[str, list[Problem]]:
    """Return, by point, which sample rates and periods cannot be met, and what could be.

    A channel that is sampled costs its largest sample rate, one that is polled 1 / period, one that reports its edges
    nothing. Blamed is who asks for more than would be left if the greedy ones shared evenly.
    """
    found: dict[str, list[Problem]] = {}
    for id, interface in interfaces.items():
        readers = _readers(points, id, interface)
        for name, problem in _excess(id, readers, interface.fastest) if interface.ok else ():
            found.setdefault(name, []).append(problem)
    return found


def _readers(
    points: Mapping[str, Point], interface: str, capability: InterfaceCapability
) -> dict[str, dict[str, InputPoint]]:
    """The points that read each channel of an interface."""
    found: dict[str, dict[str, InputPoint]] = {}
    for name, point in points.items():
        if isinstance(point, InputPoint) and point.interface == interface and point.channel in capability.channels:
            found.setdefault(point.channel, {})[name] = point
    free = [id for id, readers in found.items() if capability.channels[id].edges and not _sampled(readers.values())]
    return {id: readers for id, readers in found.items() if id not in free}


def _excess(
    interface: str, readers: Mapping[str, Mapping[str, InputPoint]], fastest: float | None
) -> Iterable[tuple[str, Problem]]:
    every = [(name, point) for each in readers.values() for name, point in each.items()]
    if fastest is None:
        why = f"'{interface}' cannot sample fast: leave sample_rate out"
        return [(name, Problem(f"points.{name}.sample_rate", why)) for name, point in every if point.sample_rate]
    asked = [_asked(each.values()) for each in readers.values()]
    if sum(asked) <= fastest * SLACK:
        return []
    share = _share(asked, fastest)
    over = f"'{interface}' gives {fastest:,.0f} readings a second in all, its points ask for {sum(asked):,.0f}"
    return [
        (name, _problem(name, point, share, over, _sampled(each.values())))
        for each in readers.values()
        for name, point in each.items()
        if _asked([point]) > share and (point.sample_rate or not _sampled(each.values()))
    ]


def _problem(name: str, point: InputPoint, share: float, over: str, sampled: bool) -> Problem:
    if sampled:
        could = (
            f"it could be {math.floor(share):,} or less here" if share >= 1 else "nothing is left here: leave it out"
        )
        return Problem(f"points.{name}.sample_rate", f"{over}: {could}")
    field = "period" if point.period <= point.idle_period else "idle_period"
    return Problem(f"points.{name}.{field}", f"{over}: it could be {_rounded_up(1 / share):g} s or more here")


def _sampled(points: Iterable[InputPoint]) -> bool:
    return any(point.sample_rate for point in points)


def _asked(points: Iterable[InputPoint]) -> float:
    """Readings a second that one channel has to give: its newest sample is its reading, too."""
    points = list(points)
    if _sampled(points):
        return max(point.sample_rate or 0 for point in points)
    return 1 / min(min(point.period, point.idle_period) for point in points)


def _share(asked: Sequence[float], fastest: float) -> float:
    """What each of those may have who ask for more than their part, once the modest ones have theirs."""
    left = fastest
    for served, each in enumerate(sorted(asked)):
        share = left / (len(asked) - served)
        if each > share:
            return share
        left -= each
    return math.inf


def _rounded_up(seconds: float) -> float:
    """Three digits are enough for people, and never less than what is possible."""
    unit = 10.0 ** (math.floor(math.log10(seconds)) - 2)
    return math.ceil(round(seconds / unit, 6)) * unit
