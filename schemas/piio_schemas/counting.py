"""Channels that count: what can be measured of a line whose edges are reported, and how such a channel is called."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta, Struct


class Measure(Struct, frozen=True, omit_defaults=True):
    """Something that is measured of a line; its raw is at least 0."""

    title: str
    unit: str = ""
    high: Annotated[float | None, Meta(description="The largest raw; left out: there is none.")] = None


class Counting(Struct, frozen=True):
    """What an interface can measure of each channel that says `counts`: `17-pulses` are the pulses of channel `17`."""

    measures: Annotated[dict[str, Measure], Meta(description="By the word behind the channel and a `-`.")]
    settings: Annotated[
        dict[str, Any], Meta(description="JSON Schema of what such a channel's settings have beside the line's own.")
    ]


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "pulses": Measure("Pulses"),
        "frequency": Measure("Frequency", "Hz"),
        "period": Measure("Period", "s"),
        "duty": Measure("Duty", high=1),
        "lost": Measure("Lost edges"),
    }
)
"""What our agents measure, in the order that people read it."""


def split(channel: str, measures: Collection[str] = MEASURES) -> tuple[str, str] | None:
    """Return the line and the measure that the id of a counting channel names; None for any other id."""
    line, _, measure = channel.rpartition("-")
    return (line, measure) if line and measure in measures else None


def properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of an object's JSON Schema, none if somebody wrote it otherwise."""
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}
