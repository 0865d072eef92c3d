"""What `piio doctor` hears of the broker's part."""

import subprocess
from collections.abc import Iterable

from piio.checkup import Finding, Scope
from piio_mosquitto.errors import BrokerError
from piio_mosquitto.process import find_mosquitto


def checkup(_: Scope) -> Iterable[Finding]:
    """Say whether Mosquitto is there, and which."""
    try:
        path = find_mosquitto()
    except BrokerError as error:
        yield Finding("Mosquitto", False, "not installed", str(error).partition(": ")[2])
        return
    said = subprocess.run([path, "-h"], capture_output=True, text=True, check=False, timeout=5).stdout  # noqa: S603
    version = said.splitlines()[0] if said else "version unknown"
    yield Finding("Mosquitto", True, f"{version} at {path}")
