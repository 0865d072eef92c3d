"""Converters and sensors that the kernel drives."""

from collections.abc import Iterable
from pathlib import Path

from piio.checkup import Finding
from piio_agent.board import model
from piio_agent.checkup.switches import switch_on
from piio_agent.interfaces.errors import InterfaceError
from piio_agent.interfaces.iio_device import DEVICES, IioChannels, find_iio_device

PART = "iio"


def findings() -> Iterable[Finding]:
    """Say of each device what to call it, and what it measures."""
    paths = sorted(DEVICES.glob("iio:device*"))
    if not paths:
        yield Finding(PART, None, "the kernel drives no converter or sensor (IIO)", switch_on(PART, model()))
    for path in paths:
        yield _device(path)


def _device(path: Path) -> Finding:
    try:
        device = find_iio_device(path.name)
        channels = list(IioChannels(device, scaled=False).told())
    except InterfaceError as error:
        return Finding(PART, False, str(error))
    return Finding(PART, True, f"{device}: {', '.join(channels) or 'nothing to read'}")
