"""Digital lines of an I2C expander: polled, or with edges where its interrupt is wired to a GPIO line."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Context, Direction, Edge, Interface, OnEdge
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, InterfaceError, NotSupported, ValueRefused
from piio_agent.interfaces.gpiod import Gpiod, GpiodOptions
from piio_agent.interfaces.line_settings import LineSettings

# How often a port is looked at again because its interrupt says that something changed while it was read.
AGAIN = 8

log = logging.getLogger(__name__)


class Port(Protocol):
    """The lines of one chip, electrically; each method is done when it returns, or raises an InterfaceError."""

    def levels(self) -> int:
        """All lines' levels, a bit each; this ends the chip's interrupt."""
        ...

    def make_input(self, line: int, settings: Any, interrupt: bool) -> None:
        """Let go of a line, and report its changes by interrupt if asked."""
        ...

    def make_output(self, line: int, level: int) -> None:
        """Drive a line, to this level from the first moment on."""
        ...


@dataclass(frozen=True)
class ExpanderOptions:
    """Where the chip is, and where its interrupt goes."""

    bus: Annotated[int, Meta(description="The I2C bus: N of /dev/i2c-N.", ge=0)] = 1
    address: Annotated[int, Meta(description="The address that its pins give it.", ge=0x03, le=0x77)] = 0x20
    interrupt_line: Annotated[
        str,
        Meta(
            description="The GPIO line, as the driver gpiod knows it, that its INT pin is wired to; else it is polled."
        ),
    ] = ""
    interrupt_chip: Annotated[str, Meta(description="That line's chip, as for the driver gpiod.")] = ""


@dataclass
class _Line:
    direction: Direction
    active_low: bool
    on_edge: OnEdge | None = None
    level: int = 0
    seq: int = 0

    def raw(self, level: int) -> float:
        return float(level ^ self.active_low)


class Expander(Interface):
    """What all expanders do; a driver says which lines there are and makes the port."""

    Options: ClassVar[type[Any]] = ExpanderOptions
    options: ExpanderOptions
    labels: ClassVar[tuple[str, ...]]
    """The lines' names; channels are their positions."""

    def __init__(self, options: ExpanderOptions, context: Context) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._port = self._make_port()
        self._lines: dict[str, _Line] = {}
        self._interrupt: Gpiod | None = None

    def _make_port(self) -> Port:
        raise NotImplementedError

    def channels(self) -> Mapping[str, Channel]:
        """The lines, once the chip answers."""
        with self._lock:
            self._port.levels()
        return self._known

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:
        """Make a line an input, or an output with its first level."""
        number = self._number(channel)
        line = _Line(direction, settings.active_low)
        with self._lock:
            if direction == "output":
                if first is None:
                    raise InterfaceError(f"{self._label(channel)}: an output needs the first value it has")
                self._port.make_output(number, self._level(channel, line, first))
            else:
                self._port.make_input(number, settings, bool(self.options.interrupt_line))
            self._lines[channel] = line

    def read(self, channel: str) -> float:
        """0 or 1, logical, as the chip sees its pin now."""
        with self._lock:
            line = self._line(channel)
            return line.raw(self._port.levels() >> self._number(channel) & 1)

    def write(self, channel: str, raw: float) -> None:
        """Drive an output."""
        with self._lock:
            line = self._line(channel, "output")
            self._port.make_output(self._number(channel), self._level(channel, line, raw))

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Report the changes that the interrupt tells of."""
        if not self.options.interrupt_line:
            raise NotSupported(f"{self._label(channel)} reports no edges: the chip's interrupt is wired to no line")
        with self._lock:
            line = self._line(channel, "input")
            self._listen()
            line.level = self._port.levels() >> self._number(channel) & 1
            line.on_edge = on_edge

    def close(self, channel: str) -> None:
        """Look after a line no longer; the chip keeps it as it is."""
        with self._lock:
            self._lines.pop(channel, None)
            interrupt = None if self._lines else self._interrupt
            if interrupt:
                self._interrupt = None
        if interrupt:
            interrupt.shut()

    def shut(self) -> None:
        """Look after nothing any longer."""
        for channel in list(self._lines):
            self.close(channel)

    @property
    def _known(self) -> Mapping[str, Channel]:
        edges = bool(self.options.interrupt_line)
        return {
            str(n): Channel(label, ("input", "output"), "digital", edges=edges) for n, label in enumerate(self.labels)
        }

    def _label(self, channel: str) -> str:
        return f"{self.name} {self.labels[self._number(channel)]}"

    def _number(self, channel: str) -> int:
        known = [str(n) for n in range(len(self.labels))]
        if channel not in known:
            raise ChannelUnknown(channel, known)
        return int(channel)

    def _line(self, channel: str, wanted: Direction | None = None) -> _Line:
        line = self._lines.get(channel)
        if line is None or (wanted and line.direction != wanted):
            raise ChannelClosed(self._label(channel), f"open as an {wanted}" if wanted else "open")
        return line

    def _level(self, channel: str, line: _Line, raw: float) -> int:
        if raw not in (0, 1):
            raise ValueRefused(self._label(channel), raw, "0 or 1")
        return int(raw) ^ line.active_low

    def _listen(self) -> None:
        if self._interrupt is None:
            gpio = Gpiod(GpiodOptions(self.options.interrupt_chip), self.context)
            try:
                # INT is low while something has changed, and nobody drives it else.
                gpio.open(self.options.interrupt_line, "input", LineSettings(active_low=True, bias="pull-up"))
                gpio.watch(self.options.interrupt_line, self._interrupted)
            except InterfaceError:
                gpio.shut()
                raise
            self._interrupt = gpio

    def _interrupted(self, told: Edge) -> None:
        """Find out what changed; on the thread that hears of the interrupt."""
        if told.edge == "falling":
            return
        for _ in range(AGAIN):
            try:
                with self._lock:
                    calls = self._changes(told)
                    interrupt = self._interrupt
                for on_edge, edge in calls:
                    self._report(on_edge, edge)
                if interrupt is None or not interrupt.read(self.options.interrupt_line):
                    return
            except InterfaceError as reason:
                log.warning("%s: what changed is not known: %s", self.name, reason)
                return

    def _report(self, on_edge: OnEdge, edge: Edge) -> None:
        try:
            on_edge(edge)
        except Exception:
            log.exception("an edge of %s was not handled", self.name)

    def _changes(self, told: Edge) -> list[tuple[OnEdge, Edge]]:
        levels = self._port.levels()
        calls = []
        for channel, line in self._lines.items():
            level = levels >> int(channel) & 1
            if line.on_edge and level != line.level:
                line.level, line.seq = level, line.seq + 1
                edge = Edge("rising" if line.raw(level) else "falling", told.t_ns, told.mono_ns, line.seq)
                calls.append((line.on_edge, edge))
        return calls
