"""SPI: the device files, and the devices that the kernel keeps to itself."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from piio.checkup import Finding
from piio_agent.board import model
from piio_agent.checkup import device_file
from piio_agent.checkup.switches import switch_on

PART = "spi"
DEVICES = Path("/sys/bus/spi/devices")


def findings() -> Iterable[Finding]:
    """Say of each device file whether it can be used, and of each other device who drives it."""
    paths = sorted(Path("/dev").glob("spidev*"))
    if not paths:
        yield Finding(PART, None, "no SPI device file here (/dev/spidev*)", switch_on(PART, model()))
    elif find_spec("spidev") is None:
        yield Finding(PART, False, f"{paths[0]} is there, but spidev is missing", "pip install 'piio[spi]'")
    for path in paths:
        usable = device_file.usable(path)
        yield Finding(
            PART,
            usable,
            f"{path} is {'usable' if usable else 'not open to this user'}",
            "" if usable else device_file.remedy(path),
        )
    for device in sorted(DEVICES.glob("spi*/driver")):
        if device.resolve().name != "spidev":
            message = (
                f"{device.parent.name} is driven by the kernel ({device.resolve().name}), so it has no device file"
            )
            yield Finding(PART, None, message)
