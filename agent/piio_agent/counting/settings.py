"""What a point may say about a channel that counts, beside what the driver takes for its line."""

from __future__ import annotations

from dataclasses import dataclass, fields, make_dataclass
from typing import Annotated, Any

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Interface
from piio_agent.interfaces.form import schema
from piio_schemas.counting import MEASURES, Counting


@dataclass(frozen=True)
class CountingSettings:
    """The settings that counting channels have besides their line's."""

    window: Annotated[
        float,
        Meta(
            title="Window",
            description="Seconds over which frequency, period and duty are measured; counts ignore it.",
            ge=0.001,
            le=3600,
        ),
    ] = 1.0
    keep: Annotated[
        bool,
        Meta(
            title="Keep the count",
            description="It survives a restart of the agent; what comes meanwhile is not counted.",
        ),
    ] = False
    start: Annotated[
        int,
        Meta(title="Count from", description="Where the count begins; another number sets it to that.", ge=0, le=2**53),
    ] = 0


_NAMES = {each.name for each in fields(CountingSettings)}


def countable(interface: Interface, channel: Channel) -> bool:
    """Whether a channel's edges can be counted; not if its driver has settings of its own that are called like ours."""
    takes_ours = _NAMES & {each.name for each in fields(interface.Settings)}
    return channel.kind == "digital" and channel.edges and "input" in channel.directions and not takes_ours


def offer() -> Counting:
    """What capabilities say of an interface that has something to count."""
    return Counting(dict(MEASURES), schema(CountingSettings))


def with_counting(driver: type[Any]) -> type[Any]:
    """The settings of a counting channel on a line with these settings."""
    return make_dataclass(f"Counting{driver.__name__}", [], bases=(CountingSettings, driver), frozen=True)


def line_settings(driver: type[Any], settings: Any) -> Any:
    """The driver's part of a counting channel's settings."""
    return driver(**{each.name: getattr(settings, each.name) for each in fields(driver)})
