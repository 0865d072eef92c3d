"""How the machine and this process are."""

import os
from pathlib import Path

_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_MEMORY = Path("/proc/self/statm")


def temperature() -> float | None:
    """Return the processor's temperature in degrees Celsius, where the machine tells."""
    text = _read(_TEMPERATURE)
    return round(int(text) / 1000, 1) if text and text.lstrip("-").isdigit() else None


def throttled() -> bool | None:
    """Return whether a Raspberry Pi is throttled or short of voltage now; None on other machines.

    Bits 0 to 3 of the firmware's `get_throttled`: under-voltage, frequency capped, throttled, soft temperature limit.
    """
    text = _read(_THROTTLED)
    try:
        return bool(int(text, 16) & 0xF) if text else None
    except ValueError:
        return None


def load() -> float | None:
    """Return the load average of one minute."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def memory() -> float | None:
    """Return the megabytes of memory this process occupies."""
    fields = (_read(_MEMORY) or "").split()
    return round(int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1) if len(fields) > 1 else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
