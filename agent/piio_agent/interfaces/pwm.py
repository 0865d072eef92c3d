"""Pulse width modulation by hardware, through the kernel's sysfs."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Context, Direction, Interface
from piio_agent.interfaces.errors import (
    ChannelClosed,
    ChannelUnknown,
    DeviceFailed,
    DeviceMissing,
    InterfaceError,
    NotSupported,
    SettingsError,
    ValueRefused,
)
from piio_agent.interfaces.pwm_chip import SECOND, PwmChip, PwmOutput, find_pwm_chip

FREQUENCY = "-frequency"


@dataclass(frozen=True)
class PwmOptions:
    """Which chip."""

    chip: Annotated[
        str | int,
        Meta(description="The chip's device, name or number; without it a Raspberry Pi's header, or the first."),
    ] = ""


@dataclass(frozen=True)
class PwmSettings:
    """The settings of one output; inputs ignore them."""

    frequency: Annotated[
        float, Meta(title="Frequency", description="How many pulses a second, in Hz.", ge=0.001, le=100_000_000)
    ] = 1000.0
    inverted: Annotated[bool, Meta(title="Inverted", description="The line is low while the output is on.")] = False


class Pwm(Interface):
    """Raw is the duty cycle, 0 to 1; `0-frequency` tells the frequency that output 0 really has, in Hz."""

    name = "pwm"
    title = "PWM outputs (sysfs)"
    divisible = True
    Options: ClassVar[type[Any]] = PwmOptions
    Settings: ClassVar[type[Any]] = PwmSettings
    options: PwmOptions

    def __init__(self, options: PwmOptions, context: Context) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._outputs: dict[str, PwmOutput] = {}
        self._inputs: dict[str, PwmOutput] = {}

    def channels(self) -> Mapping[str, Channel]:
        """The outputs of the chip, and their frequencies."""
        return _channels(find_pwm_chip(self.options.chip))

    def open(self, channel: str, direction: Direction, settings: PwmSettings, first: float | None = None) -> None:
        """Take an output, which has its first duty cycle when it begins; or look at its frequency."""
        # By another number, perhaps, since last time.
        chip = find_pwm_chip(self.options.chip)
        known = _channels(chip)
        if channel not in known:
            raise ChannelUnknown(channel, known)
        if direction not in known[channel].directions:
            raise NotSupported(f"{known[channel].label} is an {known[channel].directions[0]} only")
        output = PwmOutput(chip, int(channel.removesuffix(FREQUENCY)))
        with self._lock:
            if direction == "input":
                self._inputs[channel] = output
                return
            if first is None:
                raise InterfaceError(f"{output.label}: an output needs the first value it has when it begins")
            self._begin(output, settings, _checked(output, first))
            self._outputs[channel] = output

    def read(self, channel: str) -> float:
        """The duty cycle, or the frequency in Hz, that the kernel says it really has; 0 Hz while nobody has it."""
        with self._lock:
            if channel.endswith(FREQUENCY):
                output = _held(self._inputs, channel)
                period = output.period if output.exported else 0
                return SECOND / period if period else 0.0
            output = _held(self._outputs, channel)
            return output.duty / _running(output)

    def write(self, channel: str, raw: float) -> None:
        """Be on for this part of each period."""
        with self._lock:
            output = _held(self._outputs, channel)
            output.drive(round(_checked(output, raw) * _running(output)))

    def close(self, channel: str) -> None:
        """Let go; an output that is on goes on, and can be taken again."""
        with self._lock:
            self._inputs.pop(channel, None)
            output = self._outputs.pop(channel, None)
            if output:
                output.release()

    def shut(self) -> None:
        """Let go of all."""
        for channel in [*self._outputs, *self._inputs]:
            self.close(channel)

    def _begin(self, output: PwmOutput, settings: PwmSettings, first: float) -> None:
        period = round(SECOND / settings.frequency)
        output.take()
        try:
            output.become(period, round(first * period), settings.inverted)
        except DeviceMissing:
            raise
        except DeviceFailed as reason:
            if reason.errno not in (errno.EINVAL, errno.ERANGE, errno.EOPNOTSUPP):
                raise
            wanted = f"{settings.frequency:g} Hz{' inverted' if settings.inverted else ''}"
            raise SettingsError(f"{output.label}: its hardware cannot make {wanted}: {reason}") from reason


def _channels(chip: PwmChip) -> Mapping[str, Channel]:
    outputs = {str(n): Channel(f"PWM {n}", ("output",), "analog", low=0, high=1) for n in range(chip.outputs)}
    frequencies = {
        f"{n}{FREQUENCY}": Channel(f"Frequency of PWM {n}", ("input",), "analog", low=0) for n in range(chip.outputs)
    }
    return outputs | frequencies


def _held(opened: Mapping[str, PwmOutput], channel: str) -> PwmOutput:
    if channel not in opened:
        raise ChannelClosed(f"PWM {channel}")
    return opened[channel]


def _running(output: PwmOutput) -> int:
    period = output.period
    if not period:
        raise DeviceMissing(f"{output.label} is as new: somebody else gave it back and took it again")
    return period


def _checked(output: PwmOutput, raw: float) -> float:
    if not 0 <= raw <= 1:
        raise ValueRefused(output.label, raw, "a duty cycle from 0 to 1")
    return raw
