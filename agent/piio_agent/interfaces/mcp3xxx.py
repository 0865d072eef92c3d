"""The MCP3xxx family of analog-to-digital converters over SPI, a driver for each model."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Context, Direction, Interface
from piio_agent.interfaces.converter import CONVERTERS, Converter
from piio_agent.interfaces.errors import (
    ChannelClosed,
    ChannelUnknown,
    DeviceFailed,
    DeviceMissing,
    DriverMissing,
    InterfaceError,
    NotSupported,
    OptionsError,
    PermissionDenied,
)

OVERHEAD = 50e-6
"""Seconds that a transfer costs besides its bits: 10 to 20 µs of a fast machine, a small board needs more."""


@dataclass(frozen=True)
class Mcp3xxxOptions:
    """Where the converter is."""

    bus: Annotated[int, Meta(description="The SPI bus: B of /dev/spidevB.D.", ge=0)] = 0
    device: Annotated[int, Meta(description="The chip select: D of /dev/spidevB.D.", ge=0)] = 0
    speed: Annotated[
        Annotated[int, Meta(ge=10_000)] | None,
        Meta(description="The clock in Hz; left out, 1,000,000 or what the model can at 2.7 V."),
    ] = None
    settle: Annotated[
        bool,
        Meta(description="Throw away the first sample after a change of channel, as a source of high impedance needs."),
    ] = True


class Mcp3xxx(Interface):
    """Reads counts: 0 for 0 V, the most for the reference voltage."""

    Options: ClassVar[type[Any]] = Mcp3xxxOptions
    divisible = True
    options: Mcp3xxxOptions

    def __init__(self, options: Mcp3xxxOptions, context: Context) -> None:
        super().__init__(options, context)
        self._converter = self._model()
        self._lock = threading.Lock()
        self._open: set[str] = set()
        self._spi: Any = None
        self._last = ""
        if options.speed is not None and options.speed > self._converter.fast:
            wanted = f"{self._converter.slow:,} Hz at 2.7 V, and never more than {self._converter.fast:,} Hz at 5 V"
            raise OptionsError(f"driver {self.name}: option 'speed' is {options.speed}; it takes {wanted}")

    @property
    def path(self) -> str:
        """The device file."""
        return f"/dev/spidev{self.options.bus}.{self.options.device}"

    def channels(self) -> Mapping[str, Channel]:
        """The inputs, and their differences where the model has them, once the device answers."""
        with self._lock:
            if self._spi is None:
                self._connect().close()
        return self._converter.channels

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:  # noqa: ARG002
        """Take a channel; the first opens the device."""
        self._known(channel)
        if direction != "input":
            raise NotSupported(f"ADC {channel} is an input only")
        with self._lock:
            self._connected()
            self._open.add(channel)

    def read(self, channel: str) -> float:
        """One conversion, in counts."""
        return self.sample([channel])[0]

    def sample(self, channels: Sequence[str]) -> Sequence[float]:
        """One conversion of each, in counts, with nothing in between."""
        for channel in channels:
            self._known(channel)
        with self._lock:
            for channel in channels:
                if channel not in self._open:
                    raise ChannelClosed(f"ADC {channel}")
            spi = self._connected()
            try:
                return [self._convert(spi, channel) for channel in channels]
            except OSError as reason:
                # The device may be another one when it is back: it is opened anew next time.
                self._disconnect()
                raise DeviceFailed(self.path, f"reading ADC {', '.join(channels)}", reason) from reason

    def fastest(self) -> float | None:
        """What the clock allows, half of it where each change of channel costs a conversion."""
        bits = 8 * len(self._converter.frame(next(iter(self._converter.channels))))
        conversions = 2 if self.options.settle and self._converter.inputs > 1 else 1
        seconds = conversions * (bits / (self.options.speed or self._converter.speed) + OVERHEAD)
        return float(int(1 / seconds / 100) * 100)

    def close(self, channel: str) -> None:
        """Let go of a channel; the last closes the device."""
        with self._lock:
            self._open.discard(channel)
            if not self._open:
                self._disconnect()

    def shut(self) -> None:
        """Close the device."""
        with self._lock:
            self._open.clear()
            self._disconnect()

    @classmethod
    def _model(cls) -> Converter:
        return CONVERTERS[cls.name]

    def _known(self, channel: str) -> None:
        if channel not in self._converter.channels:
            raise ChannelUnknown(channel, self._converter.channels)

    def _convert(self, spi: Any, channel: str) -> float:
        if self.options.settle and channel != self._last:
            spi.xfer2(self._converter.frame(channel))
        self._last = channel
        return float(self._converter.counts(spi.xfer2(self._converter.frame(channel))))

    def _connected(self) -> Any:
        if self._spi is None:
            self._spi = self._connect()
        return self._spi

    def _disconnect(self) -> None:
        spi, self._spi, self._last = self._spi, None, ""
        if spi is not None:
            spi.close()

    def _connect(self) -> Any:
        try:
            import spidev
        except ImportError as reason:
            raise DriverMissing("spidev", "spi") from reason
        spi = spidev.SpiDev()
        try:
            spi.open(self.options.bus, self.options.device)
            # spidev's own default is the controller's maximum, at which the converter answers nonsense.
            spi.max_speed_hz = self.options.speed or self._converter.speed
            spi.mode = 0
        except OSError as reason:
            spi.close()
            raise self._reason(reason) from reason
        return spi

    def _reason(self, reason: OSError) -> InterfaceError:
        if reason.errno == errno.ENOENT:
            remedy = "switch SPI on (on a Raspberry Pi: sudo raspi-config nonint do_spi 0, then reboot)"
            return DeviceMissing(f"{self.path}: there is no such device: {remedy}, or correct bus and device")
        if reason.errno in (errno.EACCES, errno.EPERM):
            return PermissionDenied(self.path, "spi")
        return DeviceFailed(self.path, "opening", reason)


class Mcp3001(Mcp3xxx):
    """0 to 1023."""

    name = "mcp3001"
    title = "MCP3001, 1 analog input of 10 bits (SPI)"


class Mcp3002(Mcp3xxx):
    """0 to 1023."""

    name = "mcp3002"
    title = "MCP3002, 2 analog inputs of 10 bits (SPI)"


class Mcp3004(Mcp3xxx):
    """0 to 1023."""

    name = "mcp3004"
    title = "MCP3004, 4 analog inputs of 10 bits (SPI)"


class Mcp3008(Mcp3xxx):
    """0 to 1023."""

    name = "mcp3008"
    title = "MCP3008, 8 analog inputs of 10 bits (SPI)"


class Mcp3201(Mcp3xxx):
    """0 to 4095."""

    name = "mcp3201"
    title = "MCP3201, 1 analog input of 12 bits (SPI)"


class Mcp3202(Mcp3xxx):
    """0 to 4095."""

    name = "mcp3202"
    title = "MCP3202, 2 analog inputs of 12 bits (SPI)"


class Mcp3204(Mcp3xxx):
    """0 to 4095."""

    name = "mcp3204"
    title = "MCP3204, 4 analog inputs of 12 bits (SPI)"


class Mcp3208(Mcp3xxx):
    """0 to 4095."""

    name = "mcp3208"
    title = "MCP3208, 8 analog inputs of 12 bits (SPI)"


class Mcp3301(Mcp3xxx):
    """-4096 to 4095."""

    name = "mcp3301"
    title = "MCP3301, 1 difference of 12 bits and sign (SPI)"


class Mcp3302(Mcp3xxx):
    """0 to 4095, differences -4096 to 4095."""

    name = "mcp3302"
    title = "MCP3302, 4 analog inputs of 12 bits, differences with sign (SPI)"


class Mcp3304(Mcp3xxx):
    """0 to 4095, differences -4096 to 4095."""

    name = "mcp3304"
    title = "MCP3304, 8 analog inputs of 12 bits, differences with sign (SPI)"
