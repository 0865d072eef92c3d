"""The sensors and converters that the kernel drives by itself (IIO), as sysfs shows them."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from piio_agent.interfaces.contract import Channel
from piio_agent.interfaces.errors import ChannelBusy, DeviceFailed, DeviceMissing, InterfaceError, PermissionDenied

DEVICES = Path("/sys/bus/iio/devices")


@dataclass(frozen=True)
class IioDevice:
    """A device, and where sysfs has it."""

    path: Path
    name: str
    """What its driver calls it, e.g. `mcp3008`; the driver of the ADS1115 says `ads1015`."""
    label: str
    """What the device tree calls it; mostly nothing."""
    behind: str
    """The bus and address behind it, e.g. `spi0.2` or `1-0048`."""

    def __str__(self) -> str:
        return f"{self.name} ({self.behind})"

    def answers_to(self, wanted: str) -> bool:
        """Whether it is called that in any way."""
        return wanted in (self.name, self.label, self.behind, self.path.name)


def find_iio_device(wanted: str) -> IioDevice:
    """The device of this name, label, address or `iio:deviceN`; with "" the only one there is."""
    devices = [_look_at(path) for path in sorted(DEVICES.glob("iio:device*"))]
    found = [device for device in devices if not wanted or device.answers_to(wanted)]
    if len(found) == 1:
        return found[0]
    there_are = f"there are: {', '.join(map(str, devices))}"
    if found:
        what = f"more than one IIO device is called {wanted!r}" if wanted else "more than one IIO device is there"
        raise DeviceMissing(f"{what}: name one by its address; {there_are}")
    if devices:
        raise DeviceMissing(f"no IIO device is called {wanted!r}; {there_are}")
    raise DeviceMissing(
        "the kernel has no IIO device: load its driver, on a Raspberry Pi with a line such as dtoverlay=mcp3008 or "
        "dtoverlay=ads1115 in /boot/firmware/config.txt, then reboot"
    )


def _look_at(path: Path) -> IioDevice:
    return IioDevice(path, _text(path / "name"), _text(path / "label"), path.resolve().parent.name)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        # Not every device has one, and one may go while we look.
        return ""


class IioChannels:
    """The channels of a device; with `scaled` they are in the kernel's unit (mV, m°C, …), else as the device counts."""

    def __init__(self, device: IioDevice, scaled: bool) -> None:
        self.device = device
        self._scaled = scaled
        self._files = {_id(path): path for kind in ("input", "raw") for path in _natural(device.path, kind)}

    def __contains__(self, channel: str) -> bool:
        return channel in self._files

    def told(self) -> Mapping[str, Channel]:
        """What people and the contract call them."""
        return {id: self._channel(path) for id, path in self._files.items()}

    def read(self, channel: str) -> float:
        """A conversion."""
        path = self._files[channel]
        value = self._number(path)
        return self._in_its_unit(path, value) if self._scaled else value

    def sampling_frequency(self) -> float | None:
        """Conversions a second: of the slowest channel where each has its own; None if the driver does not tell.

        Half of it where there are several channels: after a change a converter begins anew.
        """
        files = [*self.device.path.glob("sampling_frequency"), *self.device.path.glob("in_*_sampling_frequency")]
        try:
            slowest = min((self._number(file) for file in files), default=0.0)
        except (InterfaceError, ValueError):
            return None
        return slowest / (1 if len(self._files) == 1 else 2) or None

    def _channel(self, path: Path) -> Channel:
        what = re.sub(r"_(raw|input)$", "", path.name.removeprefix("in_"))
        low, high = self._limits(path)
        if self._scaled and low is not None and high is not None:
            try:
                low, high = self._in_its_unit(path, low), self._in_its_unit(path, high)
            except InterfaceError:
                # Reading it will tell.
                low = high = None
        return Channel(f"{self.device.name} {what}", ("input",), "analog", low=low, high=high)

    def _limits(self, path: Path) -> tuple[float | None, float | None]:
        """The range of the counts, where the driver tells how many bits they have."""
        kind = _text(self.device.path / "scan_elements" / f"{path.name.removesuffix('_raw')}_type")
        found = re.fullmatch(r"[lb]e:([su])(\d+)/\d+(?:X\d+)?(?:>>\d+)?", kind)
        if not found or not path.name.endswith("_raw"):
            return None, None
        bits = int(found[2])
        return (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if found[1] == "s" else (0.0, 2.0**bits - 1)

    def _in_its_unit(self, path: Path, value: float) -> float:
        if path.name.endswith("_input"):
            return value
        return (value + self._shared(path, "offset", 0.0)) * self._shared(path, "scale", 1.0)

    def _shared(self, path: Path, what: str, otherwise: float) -> float:
        """Scale or offset: of the channel, or of all of its kind."""
        own = path.name.removesuffix("_raw")
        for name in (own, re.sub(r"\d+", "", own)):
            file = self.device.path / f"{name}_{what}"
            if file.exists():
                return self._number(file)
        return otherwise

    def _number(self, path: Path) -> float:
        try:
            return float(path.read_text())
        except OSError as reason:
            raise self._why(path, reason) from reason

    def _why(self, path: Path, reason: OSError) -> InterfaceError:
        label = f"{self.device} {path.name}"
        if reason.errno in (errno.ENOENT, errno.ENODEV):
            return DeviceMissing(f"{label} is gone: its device was unplugged, or its driver unloaded")
        if reason.errno == errno.EACCES:
            return PermissionDenied(str(path), "iio")
        if reason.errno == errno.EBUSY:
            return ChannelBusy(label, "a buffered capture")
        if path.name.endswith("_scale"):
            remedy = "name its reference voltage in the device tree, or leave scaled out"
            return InterfaceError(reason.errno, f"{label} is not known to the kernel ({reason.strerror}): {remedy}")
        return DeviceFailed(label, "reading", reason)


def _natural(folder: Path, kind: str) -> list[Path]:
    """The files of a kind, 10 after 9, single ones before differences."""
    found = [path for path in folder.glob(f"in_*_{kind}") if path.name != "in_timestamp_raw"]
    return sorted(found, key=lambda path: ("-" in path.name, re.sub(r"\d+", lambda n: n[0].zfill(4), path.name)))


def _id(path: Path) -> str:
    """`0` for in_voltage0_raw, `0-1` for in_voltage0-voltage1_raw, `temp` for in_temp_input."""
    what = re.sub(r"_(raw|input)$", "", path.name.removeprefix("in_"))
    return re.sub(r"[^A-Za-z0-9_-]", "_", re.sub(r"voltage(?=\d)", "", what))[:32]
