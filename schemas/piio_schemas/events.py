"""What happened: edges of a line, and what befell a point."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class EdgeEvent(Struct, frozen=True):
    """A change of level with its kernel timestamp."""

    edge: Literal["rising", "falling"]
    t_ns: Annotated[int, Meta(description="Unix nanoseconds.")]
    mono_ns: Annotated[int, Meta(description="Nanoseconds of the board's monotonic clock.")]
    seq: Annotated[int, Meta(description="The kernel's sequence number of this line.")]
    lost: Annotated[int, Meta(description="Edges lost since the event before.")] = 0


class PointEvent(Struct, frozen=True, kw_only=True):
    """What befell a point."""

    kind: Literal["fail_safe", "interlock", "alert"]
    reason: str
    time: Annotated[float, Meta(description="Unix seconds of the bridge's clock.")]
