"""What a point may say about a digital line, in the words of the Linux GPIO uAPI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

Bias = Literal["as-is", "disabled", "pull-up", "pull-down"]
Drive = Literal["push-pull", "open-drain", "open-source"]


@dataclass(frozen=True)
class LineSettings:
    """The settings of one digital line."""

    active_low: Annotated[
        bool, Meta(title="Active low", description="Raw 1 means that the line is at its low level.")
    ] = False
    bias: Annotated[
        Bias, Meta(title="Bias", description="The resistor that holds the line while nothing drives it.")
    ] = "as-is"
    drive: Annotated[Drive, Meta(title="Drive", description="How an output drives the line; inputs ignore it.")] = (
        "push-pull"
    )
    debounce_period: Annotated[
        float,
        Meta(
            title="Debounce period",
            description="For how many seconds an input must be steady before a change counts; outputs ignore it.",
            ge=0,
            le=60,
        ),
    ] = 0.0
