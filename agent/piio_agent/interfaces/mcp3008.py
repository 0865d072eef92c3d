"""The MCP3008, an analog-to-digital converter with eight channels of 10 bits, over SPI."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Direction, Interface
from piio_agent.interfaces.errors import (
    ChannelClosed,
    ChannelUnknown,
    DeviceFailed,
    DeviceMissing,
    DriverMissing,
    InterfaceError,
    NotSupported,
    PermissionDenied,
)

CHANNELS: Mapping[str, Channel] = {
    str(n): Channel(label=f"ADC {n}", directions=("input",), kind="analog", low=0, high=1023) for n in range(8)
}


def frame(channel: int) -> list[int]:
    """The three bytes that ask for one single-ended channel (MCP3008 data sheet DS21295, figure 6-1)."""
    return [0x01, (0x8 | channel) << 4, 0x00]


def counts(reply: Sequence[int]) -> int:
    """The ten bits in the answer to `frame`, 0 to 1023; what comes before them is not defined."""
    return (reply[1] & 0x03) << 8 | reply[2]


@dataclass(frozen=True)
class Mcp3008Options:
    """Where the converter is."""

    bus: Annotated[int, Meta(description="The SPI bus: B of /dev/spidevB.D.", ge=0)] = 0
    device: Annotated[int, Meta(description="The chip select: D of /dev/spidevB.D.", ge=0)] = 0
    speed: Annotated[int, Meta(description="The clock in Hz; 1,350,000 at most with 2.7 V.", ge=10_000)] = 1_000_000
    settle: Annotated[
        bool,
        Meta(description="Throw away the first sample after a change of channel, as a source of high impedance needs."),
    ] = True


class Mcp3008(Interface):
    """Reads counts, 0 to 1023 for 0 V to the reference voltage."""

    name = "mcp3008"
    title = "MCP3008, 8 analog inputs (SPI)"
    Options: ClassVar[type[Any]] = Mcp3008Options
    options: Mcp3008Options

    def __init__(self, options: Any, context: Any) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._open: set[str] = set()
        self._spi: Any = None
        self._last = ""

    @property
    def path(self) -> str:
        """The device file."""
        return f"/dev/spidev{self.options.bus}.{self.options.device}"

    def channels(self) -> Mapping[str, Channel]:
        """The eight single-ended inputs, once the device answers."""
        with self._lock:
            if self._spi is None:
                self._connect().close()
        return CHANNELS

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:  # noqa: ARG002
        """Take a channel; the first opens the device."""
        if channel not in CHANNELS:
            raise ChannelUnknown(channel, CHANNELS)
        if direction != "input":
            raise NotSupported(f"ADC {channel} is an input only")
        with self._lock:
            if self._spi is None:
                self._spi = self._connect()
            self._open.add(channel)

    def read(self, channel: str) -> float:
        """One conversion, in counts."""
        if channel not in CHANNELS:
            raise ChannelUnknown(channel, CHANNELS)
        with self._lock:
            if self._spi is None or channel not in self._open:
                raise ChannelClosed(f"ADC {channel}")
            try:
                if self.options.settle and channel != self._last:
                    self._spi.xfer2(frame(int(channel)))
                self._last = channel
                return float(counts(self._spi.xfer2(frame(int(channel)))))
            except OSError as reason:
                raise DeviceFailed(self.path, f"reading ADC {channel}", reason) from reason

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

    def _disconnect(self) -> None:
        if self._spi is not None:
            self._spi.close()
            self._spi = None

    def _connect(self) -> Any:
        try:
            import spidev
        except ImportError as reason:
            raise DriverMissing("spidev", "spi") from reason
        spi = spidev.SpiDev()
        try:
            spi.open(self.options.bus, self.options.device)
            # spidev's own default is the controller's maximum, at which the converter answers nonsense.
            spi.max_speed_hz = self.options.speed
            spi.mode = 0
        except OSError as reason:
            spi.close()
            raise self._reason(reason) from reason
        return spi

    def _reason(self, reason: OSError) -> InterfaceError:
        if reason.errno == errno.ENOENT:
            remedy = "switch SPI on (sudo raspi-config nonint do_spi 0, then reboot), or correct bus and device"
            return DeviceMissing(f"{self.path}: there is no such device: {remedy}")
        if reason.errno in (errno.EACCES, errno.EPERM):
            return PermissionDenied(self.path, "spi")
        return DeviceFailed(self.path, "opening", reason)
