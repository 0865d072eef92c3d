"""The devices behind the guest's buses, unplugged and plugged again; for the guest only."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from piio_agent.interfaces.i2c import I2cDevice

PARAMETERS = Path("/sys/module/hwsim/parameters")
DEADLINE = 5.0


def module(name: str) -> str:
    """The file of a kernel module that the guest brings with it."""
    words = dict(word.partition("=")[::2] for word in Path("/proc/cmdline").read_text().split())
    return str(Path(Path(words["hwjob"], "modules").read_text().strip(), name))


@contextmanager
def unplugged() -> Iterator[None]:
    """All devices are away for a while; afterwards they are back, as new."""
    end = time.monotonic() + DEADLINE
    # The kernel keeps a device that is being read until that is over.
    while subprocess.run(["rmmod", "hwsim"], capture_output=True, check=False).returncode:
        assert time.monotonic() < end, "hwsim is in use"
        time.sleep(0.01)
    try:
        yield
    finally:
        subprocess.run(["insmod", module("hwsim.ko")], check=True)
        plugged()


@contextmanager
def register_file(address: int) -> Iterator[I2cDevice]:
    """A chip on an I2C bus of its own, whose registers do nothing but keep what is written."""
    subprocess.run(["insmod", module("i2c-stub.ko"), f"chip_addr={address:#x}"], check=True)
    try:
        name = next(path for path in Path("/sys/bus/i2c/devices").glob("i2c-*/name") if "stub" in path.read_text())
        yield I2cDevice(int(name.parent.name.removeprefix("i2c-")), address)
    finally:
        subprocess.run(["rmmod", "i2c-stub"], check=True)


def plugged() -> None:
    """Wait until the devices are there again."""
    end = time.monotonic() + DEADLINE
    while not Path("/dev/i2c-1").exists():
        assert time.monotonic() < end, "the devices did not come back"
        time.sleep(0.001)
