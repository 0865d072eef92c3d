"""GPIO lines of any Linux board, through libgpiod 2 and the kernel's character device."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Context, Direction, Interface, OnEdge
from piio_agent.interfaces.edge_reader import EdgeReader
from piio_agent.interfaces.errors import (
    ChannelBusy,
    ChannelClosed,
    ChannelUnknown,
    DeviceFailed,
    InterfaceError,
    NotSupported,
    ValueRefused,
)
from piio_agent.interfaces.gpiod_chip import FoundChip, bindings, find_chip, open_chip
from piio_agent.interfaces.gpiod_line import HeldLine
from piio_agent.interfaces.header import PINS
from piio_agent.interfaces.line_settings import LineSettings

CONSUMER = "piio"
EVENTS = 1024  # the most the kernel keeps for a request

# What a line answers whose chip has no interrupts; 524 is the kernel's own ENOTSUPP, which errno does not know.
NO_EDGES = (errno.ENXIO, errno.EINVAL, errno.EOPNOTSUPP, errno.ENODEV, 524)


@dataclass(frozen=True)
class GpiodOptions:
    """Which chip."""

    chip: Annotated[
        str, Meta(description="The chip's label, name or path; without it a Raspberry Pi's header, else the first.")
    ] = ""


class Gpiod(Interface):
    """Lines by their offset or name; edges with the kernel's timestamps, read by one thread."""

    name = "gpiod"
    title = "GPIO lines (libgpiod)"
    Options: ClassVar[type[Any]] = GpiodOptions
    Settings: ClassVar[type[Any]] = LineSettings
    options: GpiodOptions

    def __init__(self, options: GpiodOptions, context: Context) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._held: dict[str, HeldLine] = {}
        self._chip: FoundChip | None = None
        self._reader = EdgeReader("gpiod edges")

    def channels(self) -> Mapping[str, Channel]:
        """Every line of the chip, by its offset and by the name the board gives it."""
        chip = self._found()
        return {id: _channel(chip, id, n) for id, n in chip.ids.items()}

    def open(self, channel: str, direction: Direction, settings: LineSettings, first: float | None = None) -> None:
        """Request the line, or reconfigure it when we have it, in one call of the kernel."""
        chip = self._found()
        label = chip.line(_offset(chip, channel))
        if direction == "output" and first is None:
            raise InterfaceError(f"{label}: an output needs its first value in the request that makes it one")
        wanted = _wanted(label, direction, settings, first)
        with self._lock:
            edges = self._again(channel, wanted)
            if edges is None:
                # By another number, perhaps, if it was away.
                chip = self._found()
                edges = _try_with_edges(label, wanted, lambda config: self._request(chip, channel, config))
            held = self._held[channel]
            held.direction, held.edges = direction, edges

    def read(self, channel: str) -> float:
        """0 or 1, logical, debounced by the kernel; of an output, what the pin reads back."""
        return self._line(channel).read()

    def write(self, channel: str, raw: float) -> None:
        """Drive an output to 0 or 1, logical."""
        held = self._line(channel)
        if held.direction != "output":
            raise ChannelClosed(held.label, "open as an output")
        held.write(_value(held.label, raw))

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Report both edges; NotSupported where the chip has no interrupts, so that the line has to be polled."""
        held = self._line(channel)
        if held.direction != "input":
            raise ChannelClosed(held.label, "open as an input")
        if not held.edges:
            raise NotSupported(f"{held.label} reports no edges: its chip has no interrupts for it")
        held.watch(on_edge)
        self._reader.add(held.fd, held.deliver)

    def close(self, channel: str) -> None:
        """Release the line; what it does then is up to the chip, a Pi's stays as it is."""
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
        self._chip = None

    def _found(self) -> FoundChip:
        # While we hold nothing the chip may have been unplugged and be back by another number.
        if self._chip is None or not self._held:
            self._chip = find_chip(self.options.chip)
        return self._chip

    def _again(self, channel: str, wanted: Any) -> bool | None:
        """Reconfigure a line that we hold, and say whether it has edges; None: we do not, or its chip has gone."""
        held = self._held.get(channel)
        if held is None:
            return None
        self._reader.remove(held.fd)
        if held.gone():
            del self._held[channel]
            held.release()
            self._chip = None
            return None
        return _try_with_edges(held.label, wanted, held.reconfigure)

    def _line(self, channel: str) -> HeldLine:
        with self._lock:
            held = self._held.get(channel)
        if held is None:
            chip = self._found()
            raise ChannelClosed(chip.line(_offset(chip, channel)))
        return held

    def _request(self, chip: FoundChip, channel: str, config: Any) -> None:
        offset = _offset(chip, channel)
        label = chip.line(offset)
        # The request has a descriptor of its own, so the chip need not stay open.
        with open_chip(chip.path) as handle:
            try:
                request = handle.request_lines({offset: config}, consumer=CONSUMER, event_buffer_size=EVENTS)
            except OSError as reason:
                if reason.errno != errno.EBUSY:
                    raise
                raise ChannelBusy(label, handle.get_line_info(offset).consumer or "the kernel") from reason
        self._held[channel] = HeldLine(request, offset, label, self.context.clock)


def _channel(chip: FoundChip, id: str, offset: int) -> Channel:
    name = chip.names[offset]
    label = name or f"line {offset}"
    if name == f"GPIO{offset}" and chip.label.startswith("pinctrl-") and offset in PINS:
        label = f"{name} (pin {PINS[offset]})"
    elif id == name:
        label = f"{name} (line {offset})"
    return Channel(label, ("input", "output"), "digital", edges=True)


def _offset(chip: FoundChip, channel: str) -> int:
    known = chip.ids
    if channel not in known:
        raise ChannelUnknown(channel, known)
    return known[channel]


def _try_with_edges(label: str, wanted: Any, request: Any) -> bool:
    """Make a request, again without edges if the chip has none; says whether there are edges."""
    edge = bindings().line.Edge
    try:
        try:
            request(wanted)
        except InterfaceError:
            raise
        except OSError as reason:
            if wanted.edge_detection is edge.NONE or reason.errno not in NO_EDGES:
                raise
            wanted.edge_detection = edge.NONE
            request(wanted)
    except InterfaceError:
        raise
    except OSError as reason:
        raise DeviceFailed(label, "opening", reason) from reason
    return wanted.edge_detection is not edge.NONE


def _wanted(label: str, direction: Direction, settings: LineSettings, first: float | None) -> Any:
    """Our settings in libgpiod's words; only what applies to the direction, for the kernel refuses the rest."""
    gpiod = bindings()
    line = gpiod.line
    bias = line.Bias[settings.bias.upper().replace("-", "_")]
    if direction == "output":
        return gpiod.LineSettings(
            direction=line.Direction.OUTPUT,
            bias=bias,
            drive=line.Drive[settings.drive.upper().replace("-", "_")],
            active_low=settings.active_low,
            output_value=_value(label, first or 0),
        )
    return gpiod.LineSettings(
        direction=line.Direction.INPUT,
        edge_detection=line.Edge.BOTH,
        bias=bias,
        active_low=settings.active_low,
        debounce_period=timedelta(seconds=settings.debounce_period),
        event_clock=line.Clock.MONOTONIC,
    )


def _value(label: str, raw: float) -> Any:
    if raw not in (0, 1):
        raise ValueRefused(label, raw, "0 or 1")
    return bindings().line.Value(int(raw))
