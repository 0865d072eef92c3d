"""GPIO lines of any Linux board, through libgpiod 2 and the kernel's character device."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Context, Direction, Interface, OnEdge
from piio_agent.interfaces.edge_reader import EdgeReader
from piio_agent.interfaces.errors import ChannelBusy, ChannelClosed, NotSupported
from piio_agent.interfaces.gpiod_channels import Channels, read_groups
from piio_agent.interfaces.gpiod_chip import find_chip
from piio_agent.interfaces.gpiod_line import HeldLine
from piio_agent.interfaces.gpiod_request import Wanted, request, wanted, with_edges
from piio_agent.interfaces.line_settings import LineSettings


@dataclass(frozen=True)
class GpiodOptions:
    """Which chip, and which of its lines belong together."""

    chip: Annotated[
        str, Meta(description="The chip's label, name or path; without it a Raspberry Pi's header, else the first.")
    ] = ""
    groups: Annotated[
        Any,
        Meta(description="Lines that are one number and switch at once, by the channel's name; the first is bit 0."),
    ] = field(default_factory=dict)


class SameLine(ChannelBusy):
    """A line is in use already as a channel of another id."""

    def __init__(self, label: str, other: str) -> None:
        super().__init__(label, _consumer(other))
        self.strerror = f"{label} is in use as channel {other!r}, which is the same line: name one of them everywhere"


class Gpiod(Interface):
    """Lines by their offset or name, and groups of them; edges with the kernel's timestamps, read by one thread."""

    name = "gpiod"
    title = "GPIO lines (libgpiod)"
    divisible = True
    Options: ClassVar[type[Any]] = GpiodOptions
    Settings: ClassVar[type[Any]] = LineSettings
    options: GpiodOptions

    def __init__(self, options: GpiodOptions, context: Context) -> None:
        super().__init__(options, context)
        self._groups = read_groups(options.groups)
        self._lock = threading.Lock()
        self._held: dict[str, HeldLine] = {}
        self._channels: Channels | None = None
        self._reader = EdgeReader("gpiod edges")

    def channels(self) -> Mapping[str, Channel]:
        """The groups, and every other line of the chip, by its offset and by the name the board gives it."""
        return self._known().all()

    def open(self, channel: str, direction: Direction, settings: LineSettings, first: float | None = None) -> None:
        """Request the lines, or reconfigure them when we have them, in one call of the kernel."""
        lines = self._known().lines(channel)
        config = wanted(lines, direction, settings, first)
        with self._lock:
            edges = self._again(channel, config)
            if edges is None:
                edges = with_edges(lines.label, config, lambda config: self._take(channel, config))
            held = self._held[channel]
            held.direction, held.edges = direction, edges

    def read(self, channel: str) -> float:
        """0 or 1, or a group's number; logical, debounced by the kernel; of an output, what the pins read back."""
        return self._get(channel).read()

    def write(self, channel: str, raw: float) -> None:
        """Drive an output, logical; all lines of a group in one call of the kernel."""
        held = self._get(channel)
        if held.direction != "output":
            raise ChannelClosed(held.lines.label, "open as an output")
        held.write(raw)

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Report both edges; NotSupported for a group and without interrupts of the chip: these are polled."""
        held = self._get(channel)
        if held.direction != "input":
            raise ChannelClosed(held.lines.label, "open as an input")
        if not held.edges:
            why = "its chip has no interrupts for it" if len(held.lines.offsets) == 1 else "it is several lines"
            raise NotSupported(f"{held.lines.label} reports no edges: {why}")
        held.watch(on_edge)
        self._reader.add(held.fd, held.deliver)

    def close(self, channel: str) -> None:
        """Release the lines; what becomes of them is up to the chip: some stay as they are, others become inputs."""
        with self._lock:
            held = self._held.pop(channel, None)
        if held:
            self._reader.remove(held.fd)
            held.release()

    def shut(self) -> None:
        """Release all lines and look for the chip anew next time."""
        for channel in list(self._held):
            self.close(channel)
        self._reader.stop()
        self._channels = None

    def _known(self) -> Channels:
        # While we hold nothing the chip may have been unplugged and be back by another number.
        if self._channels is None or not self._held:
            self._channels = Channels(find_chip(self.options.chip), self._groups)
        return self._channels

    def _again(self, channel: str, config: Wanted) -> bool | None:
        """Reconfigure lines that we hold, and say whether they have edges; None: we do not, or their chip has gone."""
        held = self._held.get(channel)
        if held is None:
            return None
        self._reader.remove(held.fd)
        if held.gone():
            del self._held[channel]
            held.release()
            self._channels = None
            return None
        return with_edges(held.lines.label, config, held.reconfigure)

    def _take(self, channel: str, config: Wanted) -> None:
        # By another number, perhaps, if the chip was away.
        known = self._known()
        lines = known.lines(channel)
        try:
            made = request(known.chip, lines, _consumer(channel), config)
        except ChannelBusy as busy:
            for other in known.other_ids(channel):
                if busy.holder == _consumer(other):
                    raise SameLine(lines.label, other) from busy
            raise
        self._held[channel] = HeldLine(made, lines, self.context.clock)

    def _get(self, channel: str) -> HeldLine:
        with self._lock:
            held = self._held.get(channel)
        if held is None:
            raise ChannelClosed(self._known().lines(channel).label)
        return held


def _consumer(channel: str) -> str:
    """What `gpioinfo` shows as the holder; the kernel keeps 31 characters."""
    return f"piio {channel}"[:31]
