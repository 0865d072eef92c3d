"""The library that is called RPi.GPIO: the original, or rpi-lgpio under the same name, as on a Pi 5."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from piio_agent.interfaces.errors import (
    ChannelBusy,
    ChannelClosed,
    DeviceFailed,
    DeviceMissing,
    DriverMissing,
    InterfaceError,
    PermissionDenied,
)


def library(folder: Path | None) -> Any:
    """The module, with lines called by their GPIO numbers; `folder` is where lgpio may keep a pipe."""
    try:
        gpio = _imported(folder)
    except ImportError as reason:
        raise DriverMissing("RPi.GPIO (or rpi-lgpio, which a Pi 5 needs)", "rpigpio") from reason
    except RuntimeError as reason:
        raise DeviceMissing(
            f"RPi.GPIO: {reason} On a Pi 5: pip uninstall RPi.GPIO, then pip install rpi-lgpio"
        ) from reason
    try:
        gpio.setwarnings(False)
        gpio.setmode(gpio.BCM)
    # lgpio's errors have no common root but Exception.
    except Exception as reason:
        raise why("GPIO", "opening", reason) from reason
    return gpio


def _imported(folder: Path | None) -> Any:
    if "RPi.GPIO" in sys.modules:
        return importlib.import_module("RPi.GPIO")
    if "LG_WD" not in os.environ:
        # lgpio leaves a pipe in the working directory, or in this one, into which it changes.
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        os.environ["LG_WD"] = str(folder or tempfile.mkdtemp(prefix="piio-lgpio-"))
    here = Path.cwd()
    try:
        return importlib.import_module("RPi.GPIO")
    finally:
        if Path.cwd() != here:
            os.chdir(here)


def free(gpio: Any, line: int, output: bool) -> None:
    """Give a line back; an output keeps its level, which the library's own `cleanup` would not let it."""
    lgpio = getattr(gpio, "lgpio", None)
    if not output:
        gpio.cleanup(line)
    elif lgpio is not None:
        lgpio.gpio_free(gpio._chip, line)


def why(label: str, doing: str, reason: Exception) -> InterfaceError:
    """What an exception of the library means."""
    text = str(reason).strip("'\"")
    if "busy" in text.lower():
        return ChannelBusy(label, "another program")
    if "can not open gpiochip" in text.lower() or "permission" in text.lower() or "no access to" in text.lower():
        return PermissionDenied("/dev/gpiochip* or /dev/gpiomem", "gpio")
    if "setup() the GPIO channel" in text:
        return ChannelClosed(label)
    if isinstance(reason, OSError):
        return DeviceFailed(label, doing, reason)
    return InterfaceError(f"{label}: {doing} failed: {text}")
