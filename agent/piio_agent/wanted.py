"""What a configuration asks of each channel."""

from typing import Any

from msgspec import Struct

from piio_agent.channel import ChannelId
from piio_agent.outputs.messages import Policies
from piio_agent.sampler import Rates
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


def wanted(configuration: Configuration) -> dict[ChannelId, Wanted]:
    """Return what each used channel has to be; the smallest period and deadband of its points hold."""
    found: dict[ChannelId, Wanted] = {}
    for name, point in configuration.points.items():
        if point.interface is None or point.channel is None:
            continue
        id = ChannelId(point.interface, point.channel)
        if isinstance(point, OutputPoint):
            found[id] = WantedOutput(name, point.settings, policies(point))
        else:
            before = found.get(id)
            found[id] = _input(point, before if isinstance(before, WantedInput) else None)
    return found


def policies(point: OutputPoint) -> Policies:
    """Return what an output does without being asked."""
    return Policies(point.on_start, point.on_lost, point.lease, point.max_on)


def _input(point: InputPoint, other: WantedInput | None) -> WantedInput:
    if other is None:
        return WantedInput(point.settings, Rates(point.period, point.idle_period), point.deadband, point.events)
    rates = Rates(min(point.period, other.rates.period), min(point.idle_period, other.rates.idle_period))
    return WantedInput(point.settings, rates, min(point.deadband, other.deadband), point.events or other.events)
