"""The thermometers LM75, TMP75 and TMP102 on an I2C bus, and the limit at which their own alarm pin switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces import Channel, Context, Direction, Interface, InterfaceError
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, NotSupported, ValueRefused
from piio_agent.interfaces.i2c import I2cDevice

# Data sheet of the LM75B, table 4: registers of 16 bits, the more significant byte first.
TEMPERATURE, HYSTERESIS, LIMIT = 0, 2, 3

COLDEST, HOTTEST = -55.0, 125.0

CHANNELS: Mapping[str, Channel] = {
    "temperature": Channel("Temperature in °C", ("input",), "analog", low=COLDEST, high=HOTTEST),
    "limit": Channel("Alarm above, in °C", ("output",), "analog", low=COLDEST, high=HOTTEST),
}


@dataclass(frozen=True)
class Lm75Options:
    """What the interface's table in the agent's file may say besides `driver`."""

    bus: Annotated[int, Meta(description="The I2C bus: N of /dev/i2c-N.", ge=0)] = 1
    address: Annotated[int, Meta(description="The address that its pins give it.", ge=0x48, le=0x4F)] = 0x48


@dataclass(frozen=True)
class Lm75Settings:
    """What a point may say about its channel; the page makes a form of it."""

    hysteresis: Annotated[
        float,
        Meta(title="Hysteresis", description="How far below the limit the alarm ends, in °C.", ge=0.5, le=50),
    ] = 5.0


class Lm75(Interface):
    """Raw is in °C; a limit is kept in half degrees, which all of these chips can."""

    name = "lm75"
    title = "LM75 or TMP102 thermometer (I2C)"
    Options: ClassVar[type[Any]] = Lm75Options
    Settings: ClassVar[type[Any]] = Lm75Settings

    def __init__(self, options: Lm75Options, context: Context) -> None:
        super().__init__(options, context)
        self._device = I2cDevice(options.bus, options.address)
        self._open: dict[str, Lm75Settings] = {}

    def channels(self) -> Mapping[str, Channel]:
        """Both, once the chip answers."""
        self._device.read_word(TEMPERATURE)
        return CHANNELS

    def open(self, channel: str, direction: Direction, settings: Lm75Settings, first: float | None = None) -> None:
        """Begin to read the temperature, or to look after the limit, which has its first value at once."""
        if channel not in CHANNELS:
            raise ChannelUnknown(channel, CHANNELS)
        if direction not in CHANNELS[channel].directions:
            raise NotSupported(f"{CHANNELS[channel].label} is an {CHANNELS[channel].directions[0]} only")
        if direction == "output":
            if first is None:
                raise InterfaceError(f"{CHANNELS[channel].label}: an output needs its first value")
            self._set_limit(first, settings)
        self._open[channel] = settings

    def read(self, channel: str) -> float:
        """The temperature, or the limit as the chip has it."""
        self._settings(channel)
        return to_degrees(self._device.read_word(TEMPERATURE if channel == "temperature" else LIMIT))

    def write(self, channel: str, raw: float) -> None:
        """Move the limit."""
        self._set_limit(raw, self._settings(channel))

    def close(self, channel: str) -> None:
        """Look after it no longer; the chip keeps its limit."""
        self._open.pop(channel, None)

    def _settings(self, channel: str) -> Lm75Settings:
        if channel not in self._open:
            raise ChannelClosed(CHANNELS[channel].label if channel in CHANNELS else channel)
        return self._open[channel]

    def _set_limit(self, raw: float, settings: Lm75Settings) -> None:
        if not COLDEST <= raw <= HOTTEST:
            raise ValueRefused(CHANNELS["limit"].label, raw, f"{COLDEST:g} to {HOTTEST:g} °C")
        words = {HYSTERESIS: to_word(raw - settings.hysteresis), LIMIT: to_word(raw)}
        # On the way neither may pass the other: going up, the limit goes ahead.
        upwards = raw > to_degrees(self._device.read_word(LIMIT))
        for register in (LIMIT, HYSTERESIS) if upwards else (HYSTERESIS, LIMIT):
            self._device.write_word(register, words[register])


def to_degrees(word: int) -> float:
    """What a register means: a signed number of 1/256 °C, of which a chip has the upper 9 to 12 bits."""
    return (word - 0x1_0000 if word & 0x8000 else word) / 256


def to_word(degrees: float) -> int:
    """A temperature in the upper 9 bits, to the nearest half degree."""
    return round(degrees * 2) << 7 & 0xFFFF
