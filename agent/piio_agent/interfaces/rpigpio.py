"""GPIO lines of a Raspberry Pi through RPi.GPIO, or through rpi-lgpio, which has the same name and runs on a Pi 5."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Context, Direction, Edge, Interface, OnEdge
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, InterfaceError, NotSupported, ValueRefused
from piio_agent.interfaces.header import PINS
from piio_agent.interfaces.rpigpio_library import free, library, why

PWM = "-pwm"

LINES = {
    str(n): Channel(f"GPIO{n} (pin {pin})", ("input", "output"), "digital", edges=True)
    for n, pin in sorted(PINS.items())
}
PWMS = {f"{n}{PWM}": Channel(f"PWM on GPIO{n}", ("output",), "analog", low=0, high=1) for n in sorted(PINS)}
CHANNELS: Mapping[str, Channel] = LINES | PWMS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RpigpioSettings:
    """The settings of one line."""

    active_low: Annotated[
        bool, Meta(title="Active low", description="Raw 1 means that the line is at its low level.")
    ] = False
    bias: Annotated[
        Literal["disabled", "pull-up", "pull-down"],
        Meta(title="Bias", description="The resistor that holds an input while nothing drives it; outputs ignore it."),
    ] = "disabled"
    debounce_period: Annotated[
        float,
        Meta(title="Debounce period", description="In seconds; how the library debounces is its own.", ge=0, le=60),
    ] = 0.0
    frequency: Annotated[
        float, Meta(title="Frequency", description="Of a PWM channel, in Hz; others ignore it.", ge=0.1, le=10_000)
    ] = 100.0


@dataclass
class _Line:
    number: int
    direction: Direction
    settings: RpigpioSettings
    pwm: Any = None
    on_edge: OnEdge | None = None
    level: float = 0.0
    seq: int = 0
    lost: int = 0

    def logical(self, level: float) -> float:
        return 1.0 - level if self.settings.active_low else float(level)


class Rpigpio(Interface):
    """Lines by their GPIO number; `18-pwm` is software PWM on GPIO18, whose raw is the duty cycle.

    The library tells neither when an edge was nor which: its time is when we hear of it, and its level is read then.
    """

    name = "rpigpio"
    title = "GPIO lines (RPi.GPIO or rpi-lgpio)"
    Settings: ClassVar[type[Any]] = RpigpioSettings

    def __init__(self, options: Any, context: Context) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}

    def channels(self) -> Mapping[str, Channel]:
        """The lines of the 40-pin header, and PWM on each."""
        library(self.context.folder)
        return CHANNELS

    def open(self, channel: str, direction: Direction, settings: RpigpioSettings, first: float | None = None) -> None:
        """Set a line up; an output has its first level at once."""
        if channel not in CHANNELS:
            raise ChannelUnknown(channel, CHANNELS)
        label = CHANNELS[channel].label
        if direction not in CHANNELS[channel].directions:
            raise NotSupported(f"{label} is an output only")
        if direction == "output" and first is None:
            raise InterfaceError(f"{label}: an output needs its first value when it becomes one")
        line = _Line(int(channel.removesuffix(PWM)), direction, settings)
        first = _checked(channel, first or 0.0)
        with self._lock:
            gpio = library(self.context.folder)
            before = self._lines.get(channel)
            if before:
                self._stop(gpio, before)
            elif any(each.number == line.number for each in self._lines.values()):
                raise InterfaceError(f"{label}: GPIO{line.number} is open as another channel of this interface")
            _call(label, "opening", lambda: _set_up(gpio, line, first, pwm=channel.endswith(PWM)))
            self._lines[channel] = line

    def read(self, channel: str) -> float:
        """0 or 1, logical; software PWM cannot be read back."""
        with self._lock:
            line = self._line(channel)
            if line.pwm:
                raise NotSupported(f"{CHANNELS[channel].label} cannot be read back")
            gpio = library(self.context.folder)
            return line.logical(_call(CHANNELS[channel].label, "reading", lambda: gpio.input(line.number)))

    def write(self, channel: str, raw: float) -> None:
        """Drive an output, or be on for this part of each period."""
        with self._lock:
            line = self._line(channel, "output")
            level = line.logical(_checked(channel, raw))
            gpio = library(self.context.folder)
            act = (
                (lambda: line.pwm.ChangeDutyCycle(level * 100)) if line.pwm else lambda: gpio.output(line.number, level)
            )
            _call(CHANNELS[channel].label, "writing", act)

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Report both edges, on a thread of the library's; NotSupported where it cannot, so that the line is polled."""
        with self._lock:
            line = self._line(channel, "input")
            gpio = library(self.context.folder)
            bounce = (
                {"bouncetime": round(line.settings.debounce_period * 1000)} if line.settings.debounce_period else {}
            )
            again, line.on_edge = line.on_edge is not None, on_edge
            if again:
                return
            try:
                gpio.add_event_detect(line.number, gpio.BOTH, callback=lambda _: self._heard(gpio, line), **bounce)
            except Exception as reason:
                line.on_edge = None
                raise NotSupported(f"{CHANNELS[channel].label} reports no edges: {reason}") from reason
            line.level = line.logical(gpio.input(line.number))

    def close(self, channel: str) -> None:
        """Let go of a line; an output keeps its level, unless it was PWM, which needs us."""
        with self._lock:
            line = self._lines.pop(channel, None)
            if line:
                gpio = library(self.context.folder)
                self._stop(gpio, line)
                _call(CHANNELS[channel].label, "closing", lambda: free(gpio, line.number, line.direction == "output"))

    def shut(self) -> None:
        """Let go of all."""
        for channel in list(self._lines):
            self.close(channel)

    def _line(self, channel: str, wanted: Direction | None = None) -> _Line:
        line = self._lines.get(channel)
        if line is None or (wanted and line.direction != wanted):
            raise ChannelClosed(f"GPIO{channel}", f"open as an {wanted}" if wanted else "open")
        return line

    def _stop(self, gpio: Any, line: _Line) -> None:
        if line.on_edge:
            line.on_edge = None
            gpio.remove_event_detect(line.number)
        if line.pwm:
            line.pwm.stop()
            line.pwm = None

    def _heard(self, gpio: Any, line: _Line) -> None:
        """Something changed; one that is over already counts as lost."""
        try:
            level = line.logical(gpio.input(line.number))
            line.seq += 1
            if level == line.level:
                line.lost += 1
                return
            line.level, lost, line.lost = level, line.lost, 0
            clock, on_edge = self.context.clock, line.on_edge
            if on_edge:
                edge = Edge("rising" if level else "falling", clock.unix_ns(), clock.monotonic_ns(), line.seq, lost)
                on_edge(edge)
        except Exception:
            log.exception("an edge of GPIO%s was not handled", line.number)


def _set_up(gpio: Any, line: _Line, first: float, pwm: bool) -> None:
    if line.direction == "input":
        bias = {"disabled": gpio.PUD_OFF, "pull-up": gpio.PUD_UP, "pull-down": gpio.PUD_DOWN}[line.settings.bias]
        gpio.setup(line.number, gpio.IN, pull_up_down=bias)
        return
    level = line.logical(first)
    # A part of a period begins with off.
    steady = int(level) if level in (0, 1) else int(line.logical(0))
    gpio.setup(line.number, gpio.OUT, initial=steady)
    # A line that is an output already takes no notice of `initial`.
    gpio.output(line.number, steady)
    if pwm:
        line.pwm = gpio.PWM(line.number, line.settings.frequency)
        line.pwm.start(level * 100)


def _checked(channel: str, raw: float) -> float:
    if channel.endswith(PWM):
        if not 0 <= raw <= 1:
            raise ValueRefused(CHANNELS[channel].label, raw, "a duty cycle from 0 to 1")
    elif raw not in (0, 1):
        raise ValueRefused(CHANNELS[channel].label, raw, "0 or 1")
    return raw


def _call(label: str, doing: str, act: Callable[[], Any]) -> Any:
    try:
        return act()
    # The library raises RuntimeError, ValueError and, as rpi-lgpio, lgpio.error, which is a plain Exception.
    except Exception as reason:
        raise why(label, doing, reason) from reason
