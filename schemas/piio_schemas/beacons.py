"""Signs of life, and the echo of one that makes the age of a command measurable without comparing clocks."""

from typing import Annotated

from msgspec import Meta, Struct

BRIDGE_PERIOD = 1.0
"""Seconds between two beacons of the bridge."""

PERIOD_WITH_OUTPUTS = 1.0
PERIOD_WITHOUT_OUTPUTS = 10.0
"""Seconds between two beacons of an agent."""

MISSED = 3
"""Beacons that must be missing in a row before their sender is believed no longer."""

SLACK = 0.25
"""Seconds a beacon may be late before it counts as missed."""

DEAF = 3.0
"""Seconds without a beacon of one's own coming back, after which a connection is given up."""

Boot = Annotated[str, Meta(min_length=1, max_length=64, description="Random per start of the sending process.")]
Tick = Annotated[float, Meta(description="Seconds of the sender's CLOCK_BOOTTIME.")]
Connection = Annotated[int, Meta(ge=1, description="Counts the sender's connections from 1.")]


def believed_for(period: float) -> float:
    """Return for how many seconds after a beacon its sender is believed to be there."""
    return MISSED * period + SLACK


class Echo(Struct, frozen=True, forbid_unknown_fields=True):
    """Which beacon of the receiver was the newest that the sender had heard."""

    boot: Boot
    connection: Connection
    tick: Tick


class Beacon(Struct, frozen=True):
    """A sign of life of an agent."""

    boot: Boot
    connection: Connection
    tick: Tick
    period: Annotated[float, Meta(gt=0, le=3600, description="Seconds until the next one.")]

    @property
    def echo(self) -> Echo:
        """What a command sent now says of this beacon."""
        return Echo(self.boot, self.connection, self.tick)


class BridgeBeacon(Beacon, frozen=True):
    """A sign of life of the bridge."""

    epoch: Annotated[int, Meta(ge=0, description="Which leader of the database sends.")] = 0
    time: Annotated[float, Meta(description="Unix seconds of the bridge's clock; for display, never for ages.")] = 0.0
    store: Annotated[str, Meta(max_length=64, description="Which database it leads.")] = ""
