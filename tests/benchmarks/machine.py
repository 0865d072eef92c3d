"""What measured: figures of different machines are not compared."""

import os
import platform
import re
import subprocess
from pathlib import Path

from msgspec import Struct

from piio_mosquitto.process import find_mosquitto


class Machine(Struct, frozen=True):
    """A machine and what it ran, in words."""

    processor: str
    cores: int
    system: str
    python: str
    mosquitto: str
    load: float
    """How many programs wanted a core besides, over the minute before: above a few tenths it was not quiet."""

    def __str__(self) -> str:
        """Say it in one sentence."""
        quiet = "" if self.load < 0.5 else f"; it was not quiet: a load of {self.load:.1f} before it began"
        return (
            f"{self.cores} cores of {self.processor}, {self.system}, Python {self.python}, Mosquitto {self.mosquitto}"
            f"{quiet}"
        )


def this_machine() -> Machine:
    """Return this one, as it is now."""
    said = subprocess.run([find_mosquitto(), "-h"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\S+)", said)
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        mosquitto=version[1] if version else "unknown",
        load=os.getloadavg()[0],
    )


def _processor() -> str:
    named = re.search(r"^(?:model name|Model)\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return named[1] if named else platform.machine()
