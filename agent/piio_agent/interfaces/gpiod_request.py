"""A request for lines to the kernel: our settings in its words, and its refusals in ours."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from piio_agent.interfaces.contract import Direction
from piio_agent.interfaces.errors import ChannelBusy, DeviceFailed, InterfaceError
from piio_agent.interfaces.gpiod_channels import Lines
from piio_agent.interfaces.gpiod_chip import FoundChip, bindings, open_chip
from piio_agent.interfaces.line_settings import LineSettings

EVENTS = 1024  # the most the kernel keeps for a request

# What a line answers whose chip has no interrupts; 524 is the kernel's own ENOTSUPP, which errno does not know.
NO_EDGES = (errno.ENXIO, errno.EINVAL, errno.EOPNOTSUPP, errno.ENODEV, 524)

Wanted = dict[Any, Any]
"""A `gpiod.LineSettings` for each offset."""


def wanted(lines: Lines, direction: Direction, settings: LineSettings, first: float | None) -> Wanted:
    """Return what applies to the direction, for the kernel refuses the rest; an output has its first value in it."""
    if direction == "input":
        # The edges of several lines are not those of one number.
        edges = len(lines.offsets) == 1
        return {offset: _input(settings, edges) for offset in lines.offsets}
    if first is None:
        raise InterfaceError(f"{lines.label}: an output needs its first value in the request that makes it one")
    return {offset: _output(settings, value) for offset, value in lines.values(first).items()}


def request(chip: FoundChip, lines: Lines, consumer: str, config: Wanted) -> Any:
    """Request all lines at once, or none; ChannelBusy names who holds one of them."""
    # The request has a descriptor of its own, so the chip need not stay open.
    with open_chip(chip.path) as handle:
        try:
            return handle.request_lines(config, consumer=consumer, event_buffer_size=EVENTS)
        except OSError as reason:
            if reason.errno != errno.EBUSY:
                raise
            infos = [handle.get_line_info(offset) for offset in lines.offsets]
            # A line that nobody holds can be busy all the same: its pin does something else, such as SPI.
            busy = next((info for info in infos if info.used), infos[0])
            raise ChannelBusy(chip.line(busy.offset), busy.consumer or "the kernel") from reason


def with_edges(label: str, config: Wanted, ask: Callable[[Wanted], None]) -> bool:
    """Ask the kernel for lines, and again without edges if the chip has none; says whether there are edges."""
    try:
        return _with_edges(config, ask)
    except InterfaceError:
        raise
    except OSError as reason:
        raise DeviceFailed(label, "opening", reason) from reason


def _with_edges(config: Wanted, ask: Callable[[Wanted], None]) -> bool:
    none = bindings().line.Edge.NONE
    edges = any(settings.edge_detection is not none for settings in config.values())
    try:
        ask(config)
    except InterfaceError:
        raise
    except OSError as reason:
        if not edges or reason.errno not in NO_EDGES:
            raise
        for settings in config.values():
            settings.edge_detection = none
        ask(config)
        return False
    return edges


def _input(settings: LineSettings, edges: bool) -> Any:
    gpiod = bindings()
    line = gpiod.line
    return gpiod.LineSettings(
        direction=line.Direction.INPUT,
        edge_detection=line.Edge.BOTH if edges else line.Edge.NONE,
        bias=line.Bias[_constant(settings.bias)],
        active_low=settings.active_low,
        debounce_period=timedelta(seconds=settings.debounce_period),
        event_clock=line.Clock.MONOTONIC,
    )


def _output(settings: LineSettings, value: Any) -> Any:
    gpiod = bindings()
    line = gpiod.line
    return gpiod.LineSettings(
        direction=line.Direction.OUTPUT,
        bias=line.Bias[_constant(settings.bias)],
        drive=line.Drive[_constant(settings.drive)],
        active_low=settings.active_low,
        output_value=value,
    )


def _constant(word: str) -> str:
    return word.upper().replace("-", "_")
