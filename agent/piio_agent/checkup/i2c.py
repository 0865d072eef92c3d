"""I2C buses, and the addresses on them that the kernel keeps to itself."""

from collections.abc import Iterable
from pathlib import Path

from piio.checkup import Finding
from piio_agent.board import model
from piio_agent.checkup import device_file
from piio_agent.checkup.switches import switch_on

PART = "i2c"
DEVICES = Path("/sys/bus/i2c/devices")


def findings() -> Iterable[Finding]:
    """Say of each bus whether it can be used; what answers on it is not asked, since that may disturb it."""
    buses = sorted(DEVICES.glob("i2c-*"), key=lambda path: int(path.name.removeprefix("i2c-")))
    if not buses:
        yield Finding(PART, None, "no I2C bus here (/dev/i2c-*)", switch_on(PART, model()))
    for bus in buses:
        yield _bus(bus)


def _bus(bus: Path) -> Finding:
    path = Path("/dev", bus.name)
    name = f"{path} ({(bus / 'name').read_text().strip()})"
    if not path.exists():
        remedy = "sudo modprobe i2c-dev; echo i2c-dev | sudo tee /etc/modules-load.d/i2c-dev.conf"
        return Finding(PART, None, f"{name} has no device file", remedy)
    if not device_file.usable(path):
        return Finding(PART, False, f"{name} is not open to this user", device_file.remedy(path))
    driven = ", ".join(_driven(bus))
    return Finding(PART, True, f"{name} is usable{f'; the kernel drives {driven}' if driven else ''}")


def _driven(bus: Path) -> Iterable[str]:
    for device in sorted(DEVICES.glob(f"{bus.name.removeprefix('i2c-')}-*/driver")):
        yield f"0x{device.parent.name[-2:]} ({device.resolve().name})"
