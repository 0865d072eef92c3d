"""Converters and sensors for which the kernel has a driver (IIO): MCP320x, ADS1115, BME280 and hundreds more."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Context, Direction, Interface
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, DeviceMissing, NotSupported
from piio_agent.interfaces.iio_device import IioChannels, find_iio_device


@dataclass(frozen=True)
class IioOptions:
    """Which device, and in which unit it is read."""

    device: Annotated[
        str, Meta(description="The device's name, label, address (spi0.2, 1-0048) or iio:deviceN; else the only one.")
    ] = ""
    scaled: Annotated[
        bool, Meta(description="Raw is (count + offset) * scale, in the kernel's unit: mV, thousandths of a degree, …")
    ] = False


class Iio(Interface):
    """Inputs by their number, `0-1` for a difference, `temp` and the like for what is no voltage."""

    name = "iio"
    title = "Kernel converters and sensors (IIO)"
    divisible = True
    Options: ClassVar[type[Any]] = IioOptions
    options: IioOptions

    def __init__(self, options: IioOptions, context: Context) -> None:
        super().__init__(options, context)
        self._lock = threading.Lock()
        self._open: dict[str, IioChannels] = {}

    def channels(self) -> Mapping[str, Channel]:
        """What the device can measure."""
        return self._look().told()

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:  # noqa: ARG002
        """Begin to read; the device may be back by another number since last time."""
        device = self._look()
        if channel not in device:
            raise ChannelUnknown(channel, device.told())
        if direction != "input":
            raise NotSupported(f"{device.told()[channel].label} is an input only")
        with self._lock:
            self._open[channel] = device

    def read(self, channel: str) -> float:
        """What the device counts, or what that means if `scaled`."""
        with self._lock:
            device = self._open.get(channel)
        if device is None:
            raise ChannelClosed(f"{self.options.device or 'IIO'} {channel}")
        return device.read(channel)

    def fastest(self) -> float | None:
        """What the kernel says that the device does by itself; None where it does not tell."""
        return self._look().sampling_frequency()

    def close(self, channel: str) -> None:
        """Read it no longer."""
        with self._lock:
            self._open.pop(channel, None)

    def shut(self) -> None:
        """Read nothing any longer."""
        with self._lock:
            self._open.clear()

    def _look(self) -> IioChannels:
        device = IioChannels(find_iio_device(self.options.device), self.options.scaled)
        if not device.told():
            raise DeviceMissing(f"the IIO device {device.device} has nothing to read")
        return device
