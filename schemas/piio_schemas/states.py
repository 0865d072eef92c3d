"""What is said of agents: status, quality, capabilities, what is applied, health."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from piio_schemas.counting import Counting, properties, split

ONLINE = "online"
OFFLINE = "offline"
"""What a status says."""

GOOD = "good"
"""The quality of a value that can be relied on now; any other is `stale: …` or `bad: …`."""

Direction = Literal["input", "output"]
Kind = Literal["digital", "analog"]


class Board(Struct, frozen=True):
    """The machine an agent runs on."""

    model: str = ""
    hostname: str = ""
    mac: str = ""
    ip: str = ""


class ChannelCapability(Struct, frozen=True, omit_defaults=True):
    """What one channel can do; `low` and `high` bound the raw of an analog one."""

    label: str
    directions: list[Direction]
    kind: Kind
    low: float | None = None
    high: float | None = None
    edges: Annotated[
        bool, Meta(description="Whether the driver reports changes by itself, so that nothing is polled.")
    ] = False
    counts: Annotated[
        bool,
        Meta(description="Whether it can be counted: there are more channels of it, see the interface's counting."),
    ] = False


class InterfaceCapability(Struct, frozen=True, omit_defaults=True):
    """One interface of a board: usable, or why not."""

    driver: str
    title: str
    ok: bool
    error: str | None = None
    channels: dict[str, ChannelCapability] = field(default_factory=dict)
    settings: Annotated[dict[str, Any], Meta(description="JSON Schema of a point's settings.")] = field(
        default_factory=dict
    )
    fastest: Annotated[
        float | None,
        Meta(description="Readings a second that all its channels can give together; left out: it cannot sample fast."),
    ] = None
    counting: Annotated[
        Counting | None, Meta(description="What is measured of the channels that count; left out: there are none.")
    ] = None

    def channel(self, id: str) -> ChannelCapability | None:
        """Return what a channel can do, be it one of `channels` or what is measured of one; None if there is none."""
        counted = self.counted(id)
        if counted is None or self.counting is None:
            return self.channels.get(id)
        line, measure = self.channels[counted[0]], self.counting.measures[counted[1]]
        return ChannelCapability(
            f"{line.label}: {measure.title.lower()}", ["input"], "analog", low=0, high=measure.high
        )

    def counted(self, id: str) -> tuple[str, str] | None:
        """Return the line and the measure that a counting channel stands for; None for any other channel."""
        found = split(id, self.counting.measures) if self.counting and id not in self.channels else None
        line = self.channels.get(found[0]) if found else None
        return found if line and line.counts else None

    def settings_of(self, id: str) -> dict[str, Any]:
        """Return the JSON Schema of a channel's settings."""
        if self.counting is None or self.counted(id) is None:
            return self.settings
        every = {**properties(self.settings), **properties(self.counting.settings)}
        return {**self.settings, "properties": every}


class Capabilities(Struct, frozen=True):
    """What a board is and has."""

    agent: str
    boot: str
    software: str
    board: Board
    interfaces: dict[str, InterfaceCapability]


class FailSafe(Struct, frozen=True):
    """An output was driven safe."""

    reason: str
    time: Annotated[float, Meta(description="Unix seconds of the board's clock.")]


class AppliedPoint(Struct, frozen=True, omit_defaults=True):
    """How one point fares: in force, or the error; and the reason while an output stays in fail-safe."""

    ok: bool
    error: str | None = None
    fail_safe: Annotated[
        str | None, Meta(description="Why the output was driven safe; there until a new set is done.")
    ] = None
    last_fail_safe: Annotated[
        FailSafe | None, Meta(description="The newest one since the agent started, whether or not it is over.")
    ] = None


class Applied(Struct, frozen=True):
    """Which configuration is in force on an agent."""

    store: str = ""
    revision: int = 0
    boot: str = ""
    points: dict[str, AppliedPoint] = field(default_factory=dict)
    epoch: Annotated[int, Meta(ge=0, description="Which leader of the database published it.")] = 0


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an agent's machine and process are."""

    uptime: Annotated[float, Meta(description="Seconds since the agent started.")] = 0.0
    temperature: Annotated[float | None, Meta(description="Degrees Celsius of the processor.")] = None
    throttled: Annotated[bool | None, Meta(description="Whether a Raspberry Pi is throttled now.")] = None
    load: Annotated[float | None, Meta(description="Load average of one minute.")] = None
    memory: Annotated[float | None, Meta(description="Megabytes of the agent's process.")] = None
    lateness: Annotated[
        float, Meta(description="Seconds the agent's loop was late at worst since the report before.")
    ] = 0.0
    queued: Annotated[int, Meta(description="Events waiting.")] = 0
    dropped: Annotated[int, Meta(description="Messages dropped since the start.")] = 0
    refused: Annotated[int, Meta(description="Malformed messages refused since the start.")] = 0
    kept: Annotated[int, Meta(description="Readings kept until it is sure that they have arrived.")] = 0
    kept_dropped: Annotated[
        int, Meta(description="Readings since the start that an outage lost, as too many were to be kept.")
    ] = 0
    clock_offset: Annotated[float | None, Meta(description="Seconds the board's clock is ahead of the bridge's.")] = (
        None
    )
