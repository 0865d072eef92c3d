"""What `piio doctor` says about a board's hardware."""

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from piio.checkup import Finding
from piio_agent.interfaces.door import drivers
from piio_agent.interfaces.errors import InterfaceError

PART = "agent"


def checkup() -> Iterable[Finding]:
    """Look at the drivers, and at the devices of this machine that they would open; nothing is opened."""
    yield from _drivers()
    yield from _devices("gpiochip*", "gpiod", "agent", "gpio")
    yield from _devices("spidev*", "spidev", "spi", "spi")


def _drivers() -> Iterable[Finding]:
    known = drivers()
    for name in sorted(known):
        try:
            known[name]
        except InterfaceError as error:
            yield Finding(PART, False, f"driver {name}: {error}", "install piio again, or remove that driver's package")
    yield Finding(PART, True, f"drivers: {', '.join(sorted(known))}")


def _devices(pattern: str, package: str, extra: str, group: str) -> Iterable[Finding]:
    found = sorted(Path("/dev").glob(pattern))
    if not found:
        yield Finding(PART, None, f"no /dev/{pattern} here: piio agent --simulate works without")
        return
    if find_spec(package) is None:
        yield Finding(
            PART, False, f"{found[0]} is there, but {package} is not installed", f"pip install 'piio[{extra}]'"
        )
        return
    for path in found:
        usable = os.access(path, os.R_OK | os.W_OK)
        remedy = "" if usable else f"sudo usermod -aG {group} $USER, then log in again"
        yield Finding(PART, usable, f"{path} is {'usable' if usable else 'not open to this user'}", remedy)
