"""The contract between the agent and a driver: what an interface has, what it does, what it reports."""

# The base class names its arguments for those who override it.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from piio_agent.clock import Clock, SystemClock
from piio_agent.interfaces.errors import NotSupported

Direction = Literal["input", "output"]
Kind = Literal["digital", "analog"]


@dataclass(frozen=True)
class Channel:
    """One addressable input or output of an interface."""

    label: str
    """What people call it, e.g. `GPIO17 (pin 11)`."""
    directions: tuple[Direction, ...]
    """What it can be opened as."""
    kind: Kind
    """`digital` (raw is 0 or 1) or `analog`."""
    low: float | None = None
    """The smallest raw value of an analog channel, in its own unit; None if digital or not known."""
    high: float | None = None
    """The largest raw value of an analog channel, in its own unit; None if digital or not known."""
    edges: bool = False
    """Whether the driver reports changes of an input by itself (`watch`), so that nobody needs to poll; should `watch`
    answer NotSupported all the same, this line's hardware cannot, and it has to be polled."""


@dataclass(frozen=True)
class Edge:
    """A change of an input's logical level."""

    edge: Literal["rising", "falling"]
    """Logical: `active_low` is applied, so `rising` means that raw became 1."""
    t_ns: int
    """Unix time in nanoseconds."""
    mono_ns: int
    """The same moment on CLOCK_MONOTONIC, in nanoseconds."""
    seq: int
    """Counts the edges of this line since it was opened, from 1, lost ones and those that nobody watched included."""
    lost: int = 0
    """How many edges were lost between the last one delivered, or `watch`, and this one."""

    @property
    def raw(self) -> float:
        """The raw value after the edge."""
        return 1.0 if self.edge == "rising" else 0.0


OnEdge = Callable[[Edge], None]


@dataclass(frozen=True)
class NoOptions:
    """The options of a driver that has none."""


@dataclass(frozen=True)
class NoSettings:
    """The settings of a driver that has none."""


@dataclass(frozen=True)
class Context:
    """What an agent lends to its interfaces."""

    clock: Clock = field(default_factory=SystemClock)
    """The only clock a driver asks."""
    folder: Path | None = None
    """Where a driver may keep files; None: nowhere."""
    shared: dict[str, object] = field(default_factory=dict)
    """What several interfaces of one agent share, e.g. the simulated board; whoever comes first puts it there."""


class Interface:
    """One piece of hardware an agent can open; a driver is a subclass.

    A driver **must** set `name` and `title`, and override `channels`, `open` and `close`. It **may** override `read`
    (inputs, and outputs that can be read back), `read_ahead`, `write` (outputs), `watch` (channels that say `edges`),
    `fastest` and `sample` (what samples fast), `simulate` (simulated boards) and `shut` (what is not tied to one
    channel). What it leaves out answers NotSupported.

    `Options` and `Settings` are frozen dataclasses: `Options` is what the interface's table in the agent's file may say
    besides `driver`, `Settings` what a point may say about its channel. Give every field of `Settings` a default and
    `Annotated[type, msgspec.Meta(title="…", description="One sentence.")]`: it becomes the form on the web page.

    Importing a driver and constructing it touch no hardware; `channels` may look at it and `open` takes hold of it.
    Optional packages are imported there too. Raw values are logical (a driver applies `active_low` itself) and floats;
    a digital channel has 0.0 and 1.0. What a channel cannot take is refused with ValueRefused, never clamped.

    Whatever fails raises an InterfaceError whose text names the culprit and the remedy, and leaves the channel as it
    was. Whatever a driver raises besides is a mistake in it, which the agent reports as the channel's error.
    Methods may be called from different threads at once, but for one channel only one at a time; `shut` and
    `close` may come at any moment. No method waits longer than the hardware takes. Closing twice is fine.
    """

    name: ClassVar[str] = ""
    """The driver's name in the agent's file; a class without one is not a driver."""
    title: ClassVar[str] = ""
    """What people read, e.g. `GPIO lines (libgpiod)`."""
    Options: ClassVar[type[Any]] = NoOptions
    Settings: ClassVar[type[Any]] = NoSettings
    divisible: ClassVar[bool] = False
    """Whether one process may hold inputs of this hardware while another holds outputs of it. If not, the process that
    holds the outputs opens the inputs as well, and they are read through it: a little slower, and always right."""

    options: Any
    context: Context

    def __init__(self, options: Any, context: Context) -> None:
        """Keep what was given; `options` is an instance of `Options`."""
        self.options = options
        self.context = context

    def channels(self) -> Mapping[str, Channel]:
        """What there is to open, by channel id, in the order people expect; may look at the hardware."""
        raise NotSupported(f"the driver {self.name} does not say which channels it has")

    def settings_for(self, channel: str) -> type[Any]:
        """The settings of a channel: `Settings`, unless an interface has channels of several kinds."""
        return self.Settings

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:
        """Take hold of a channel; `settings` is an instance of `Settings`.

        An output needs `first`, the raw value it takes in the very request that makes it an output, so that nothing
        clicks. A channel that is open is re-opened: with another value or settings, in one request where the hardware
        can. An input that says `edges` keeps its watcher only until it is re-opened.
        """
        raise NotSupported(f"the driver {self.name} opens no channels")

    def read(self, channel: str) -> float:
        """The raw value of an open channel now; for an output, what the pin reads back."""
        raise NotSupported(f"the driver {self.name} cannot read channel {channel}")

    def read_ahead(self, channels: Sequence[str]) -> None:
        """These open inputs are read next, one after the other: whatever makes that cheaper may be done now.

        What fails here is to fail again in `read`, and nothing is to be raised. A reading is good for one `read`.
        """

    def fastest(self) -> float | None:
        """How many readings a second all channels can give together, with `channels` just asked; None: not fast.

        What configurations ask for beyond it is refused, so it says what the hardware can be relied on to give.
        """
        return None

    def sample(self, channels: Sequence[str]) -> Sequence[float]:
        """The raw values of several open channels now, in this order, as close together as the hardware can.

        Called up to `fastest` times a second, on a thread of its own; the default reads one after the other.
        """
        return [self.read(channel) for channel in channels]

    def write(self, channel: str, raw: float) -> None:
        """Make an open output take a raw value; it has it when this returns."""
        raise NotSupported(f"the driver {self.name} cannot write channel {channel}")

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Call `on_edge` for every edge of an open input from now on, in order, on a thread of the driver's.

        One watcher per channel: the last one given. The last edge of a burst agrees with the line, even when edges
        before it were lost. `on_edge` must return soon and may call `read` and `write`; when it
        raises, that is logged and the next edge comes all the same. After `close` has returned none is called
        any more, except for a call that is on its way in that moment.
        """
        raise NotSupported(f"the driver {self.name} reports no edges of channel {channel}")

    def simulate(self, channel: str, raw: float | None) -> None:
        """Be the outside world of a simulated channel, open or not: drive it to `raw`, or let go of it (None)."""
        raise NotSupported(f"channel {channel} is real hardware: only simulated boards take a value from outside")

    def close(self, channel: str) -> None:
        """Let go of a channel; nothing happens if it is not open."""
        raise NotSupported(f"the driver {self.name} closes no channels")

    def shut(self) -> None:
        """Let go of everything this interface holds; it can be opened again afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()
