"""The PWM chips of the kernel, as sysfs shows them: by their device, never by the number that changes."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

from piio_agent.interfaces.errors import ChannelBusy, DeviceFailed, DeviceMissing, InterfaceError, PermissionDenied

CHIPS = Path("/sys/class/pwm")

# The header's PWM on a Pi 5, a Pi 4, a Pi 2 or 3, and all before; a Pi 5 has another chip, for its fan.
PREFERRED = ("1f00098000.pwm", "fe20c000.pwm", "3f20c000.pwm", "2020c000.pwm")

SECOND = 1_000_000_000


@dataclass(frozen=True)
class PwmChip:
    """A chip, and where sysfs has it."""

    path: Path
    device: str
    """The name of the hardware behind it, e.g. `fe20c000.pwm`."""
    outputs: int

    def __str__(self) -> str:
        return f"{self.path.name} ({self.device})"


def find_pwm_chip(wanted: str | int) -> PwmChip:
    """The chip of this device, name or number; with "", a Pi's header, else the first there is."""
    chips = [_look_at(path) for path in sorted(CHIPS.glob("pwmchip*"), key=lambda path: int(path.name[7:]))]
    if not chips:
        raise DeviceMissing(
            "there is no PWM chip (/sys/class/pwm/pwmchip*): on a Raspberry Pi add the line dtoverlay=pwm-2chan to "
            "/boot/firmware/config.txt, then reboot"
        )
    for name in PREFERRED if wanted == "" else (str(wanted),):
        for chip in chips:
            if name in (chip.device, chip.path.name, chip.path.name[7:]):
                return chip
    if wanted != "":
        raise DeviceMissing(f"no PWM chip is called {str(wanted)!r}; there are: {', '.join(map(str, chips))}")
    return chips[0]


def _look_at(path: Path) -> PwmChip:
    return PwmChip(path, (path / "device").resolve().name, int((path / "npwm").read_text()))


class PwmOutput:
    """One output that we have; whatever sysfs answers with becomes an InterfaceError."""

    def __init__(self, chip: PwmChip, number: int) -> None:
        self.label = f"PWM {number}"
        self._chip = chip
        self._number = number
        self._path = chip.path / f"pwm{number}"

    @property
    def period(self) -> int:
        """Nanoseconds; 0 as long as nobody has set it."""
        return int(self._get("period"))

    @property
    def duty(self) -> int:
        """Nanoseconds of each period that it is on."""
        return int(self._get("duty_cycle"))

    @property
    def exported(self) -> bool:
        """Whether anybody has taken it."""
        return self._path.exists()

    def take(self) -> None:
        """Export it; one that was left exported, by an agent that was killed, goes on as it is."""
        if not self.exported:
            self._put(self._chip.path / "export", str(self._number), "taking")

    def become(self, period: int, duty: int, inverted: bool) -> None:
        """Set all of it; what is right already is not touched, and it never is on for longer than asked on the way."""
        polarity = "inversed" if inverted else "normal"
        if self._get("polarity") != polarity and self._get("enable") == "1":
            # Not every chip turns it around while it runs.
            self._set("enable", 0)
        if period < self.period:
            self._set("duty_cycle", duty)
        self._set("period", period)
        self._set("duty_cycle", duty)
        if self._get("polarity") != polarity:
            self._set("polarity", polarity)
        self._set("enable", 1)

    def drive(self, duty: int) -> None:
        """Set how long it is on in each period."""
        self._set("duty_cycle", duty)

    def release(self) -> None:
        """Let go of it: one that is off is given back, one that is on is left running, since its owner wanted that."""
        if self.exported and self.duty == 0:
            self._set("enable", 0)
            self._put(self._chip.path / "unexport", str(self._number), "releasing")

    def _get(self, name: str) -> str:
        try:
            return (self._path / name).read_text().strip()
        except OSError as reason:
            raise self._why(self._path / name, "reading", reason) from reason

    def _set(self, name: str, value: object) -> None:
        if self._get(name) != str(value):
            self._put(self._path / name, str(value), f"setting {name} to {value}")

    def _put(self, path: Path, text: str, doing: str) -> None:
        try:
            path.write_text(text)
        except OSError as reason:
            raise self._why(path, doing, reason) from reason

    def _why(self, path: Path, doing: str, reason: OSError) -> InterfaceError:
        if reason.errno in (errno.ENOENT, errno.ENODEV):
            return DeviceMissing(f"{self.label}: {path} is gone: its chip was unplugged, or somebody else gave it back")
        if reason.errno in (errno.EACCES, errno.EPERM):
            return PermissionDenied(str(path), "gpio")
        if reason.errno == errno.EBUSY:
            return ChannelBusy(f"{self.label} of {self._chip}", "a driver of the kernel")
        return DeviceFailed(self.label, doing, reason)
