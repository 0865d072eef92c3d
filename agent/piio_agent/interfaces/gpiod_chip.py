"""Which GPIO chip is meant: by label, name or path, never by the number that changes from one kernel to the next."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piio_agent.interfaces.errors import (
    DeviceFailed,
    DeviceMissing,
    DriverMissing,
    InterfaceError,
    PermissionDenied,
)

if TYPE_CHECKING:
    import gpiod

# The header's lines: Pi 5, Pi 4, all before.
PREFERRED = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")

DEV = Path("/dev")


@dataclass(frozen=True)
class FoundChip:
    """A GPIO chip of this board."""

    path: str
    name: str
    label: str
    names: tuple[str, ...]
    """What the board calls its lines, by offset; mostly empty for those that lead nowhere."""

    def line(self, offset: int) -> str:
        """What to call a line to people."""
        return self.names[offset] or f"{self.label} line {offset}"

    def __str__(self) -> str:
        return f"{self.name} ({self.label})"


def bindings() -> Any:
    """The `gpiod` package, imported when the first chip is looked at."""
    try:
        import gpiod
        import gpiod.line
    except ImportError as reason:
        raise DriverMissing("gpiod", "agent") from reason
    if not hasattr(gpiod, "LineSettings"):
        raise DriverMissing("gpiod 2 (there is an older one)", "agent")
    return gpiod


def open_chip(path: str) -> gpiod.Chip:
    """Open a chip's device file."""
    try:
        chip: gpiod.Chip = bindings().Chip(path)
    except OSError as reason:
        raise _why(path, reason) from reason
    return chip


def find_chip(wanted: str) -> FoundChip:
    """The chip with this label, name or path; with "", a Pi's header, else the first there is."""
    if wanted.startswith("/"):
        return _look_at(wanted)
    chips, problems = _all_chips()
    if problems and not chips:
        raise problems[0]
    if not chips:
        raise DeviceMissing("there is no GPIO chip (/dev/gpiochip*) on this machine: use the driver simulated instead")
    for label in (wanted,) if wanted else PREFERRED:
        for chip in chips:
            if label in (chip.label, chip.name):
                return chip
    if wanted:
        # Those that are not ours to open do not hide the others; it may be one of them.
        there = ", ".join(map(str, [*chips, *problems]))
        raise DeviceMissing(f"no GPIO chip is called {wanted!r}; there are: {there}")
    return chips[0]


def _all_chips() -> tuple[list[FoundChip], list[InterfaceError]]:
    """All chips, and why others cannot be looked at."""
    # A link is another name for a chip that is in the list anyway: the Pi 5 has gpiochip4 -> gpiochip0.
    paths = [path for path in DEV.glob("gpiochip*") if not path.is_symlink()]
    paths.sort(key=lambda path: int(re.sub(r"\D", "", path.name) or 0))
    chips: list[FoundChip] = []
    problems: list[InterfaceError] = []
    for path in paths:
        try:
            chips.append(_look_at(str(path)))
        except InterfaceError as problem:
            problems.append(problem)
    return chips, problems


def _look_at(path: str) -> FoundChip:
    with open_chip(path) as chip:
        try:
            info = chip.get_info()
            names = tuple(chip.get_line_info(n).name or "" for n in range(info.num_lines))
        except OSError as reason:  # unplugged in this very moment
            raise _why(path, reason) from reason
    return FoundChip(path, info.name, info.label, names)


def _why(path: str, reason: OSError) -> InterfaceError:
    if reason.errno == errno.ENOENT:
        return DeviceMissing(f"{path}: there is no such GPIO chip")
    if reason.errno in (errno.EACCES, errno.EPERM):
        return PermissionDenied(path, "gpio")
    if reason.errno in (errno.ENODEV, errno.ENOTTY):
        return DeviceMissing(f"{path} is not a GPIO chip")
    return DeviceFailed(path, "opening", reason)
