"""What a configuration asks of each channel."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from piio_agent.channel import ChannelId
from piio_agent.input import Rates
from piio_agent.outputs.messages import Policies
from piio_schemas.configuration import Configuration, InputPoint, OutputPoint


class WantedInput(Struct, frozen=True):
    """One hardware input, whatever number of points read it."""

    settings: dict[str, Any]
    rates: Rates
    deadband: float
    events: bool


class WantedOutput(Struct, frozen=True):
    """One hardware output."""

    point: str
    settings: dict[str, Any]
    policies: Policies


Wanted = WantedInput | WantedOutput


def wanted(configuration: Configuration, refused: Collection[str] = ()) -> dict[ChannelId, Wanted]:
    """Return what each used channel has to be, without the points that are refused.

    Of its points the smallest period and deadband hold, and the largest sample rate.
    """
    found: dict[ChannelId, Wanted] = {}
    for name, point in configuration.points.items():
        if point.interface is None or point.channel is None or name in refused:
            continue
        id = ChannelId(point.interface, point.channel)
        if isinstance(point, OutputPoint):
            found[id] = WantedOutput(name, point.settings, policies(point))
        else:
            before = found.get(id)
            found[id] = _input(point, before if isinstance(before, WantedInput) else None)
    return found


def kept(configuration: Configuration) -> set[ChannelId]:
    """Return the channels whose readings go into the history of a point."""
    return {
        ChannelId(point.interface, point.channel)
        for point in configuration.points.values()
        if point.interface is not None and point.channel is not None
        if isinstance(point, OutputPoint) or point.history
    }


def policies(point: OutputPoint) -> Policies:
    """Return what an output does without being asked."""
    return Policies(
        on_start=point.on_start, on_lost=point.on_lost, lease=point.lease, max_on=point.max_on,
        min_on=point.min_on, min_off=point.min_off, rate=point.rate, interlock=point.interlock,
    )  # fmt: skip


def _input(point: InputPoint, other: WantedInput | None) -> WantedInput:
    if other is None:
        rates = Rates(point.period, point.idle_period, point.sample_rate)
        return WantedInput(point.settings, rates, point.deadband, point.events)
    rates = Rates(
        min(point.period, other.rates.period),
        min(point.idle_period, other.rates.idle_period),
        max(point.sample_rate or 0.0, other.rates.sample_rate or 0.0) or None,
    )
    return WantedInput(point.settings, rates, min(point.deadband, other.deadband), point.events or other.events)
