"""Inside the guest: a whole installation on the kernel's devices, shared by all checks of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import piio
from piio.client import Client
from tests.hardware.guest.installation.bench import BOARD, PORT, Bench, Ear
from tests.hardware.guest.sim_chip import SimChip

PARAMETERS = Path("/sys/module/hwsim/parameters")

NEVER = 86400
"""Seconds; an input with this period shows by its edges alone that it changed."""

POINTS: dict[str, Any] = {
    "tank": {
        "interface": "adc", "channel": "3", "unit": "%", "equation": "(float(x) / 1023) * 100",
        "period": 0.05, "idle_period": 0.05,
    },
    "button": {"interface": "gpio", "channel": "5", "events": True, "period": NEVER, "idle_period": NEVER},
    "door": {"interface": "gpio", "channel": "6", "period": NEVER, "idle_period": NEVER},
    "pump": {"interface": "gpio", "channel": "17", "direction": "output", "on_start": "off", "on_lost": "off"},
    "valve": {"interface": "gpio", "channel": "18", "direction": "output", "on_start": "last", "on_lost": "hold"},
}  # fmt: skip


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Broker, bridge and agent; the board's points are those above, all good."""
    assert os.uname().nodename == "hwlab", "this runs in the guest only"
    other, chip = SimChip("another-chip", 4), SimChip("pinctrl-bcm2711")
    bench = Bench(chip, tmp_path_factory.mktemp("bench"))
    yield bench
    bench.stop()
    chip.remove()
    other.remove()


@pytest.fixture(scope="session")
def admin(bench: Bench) -> Iterator[Client]:
    """A person who has configured the board."""
    bench.ear.wait_until_online()
    with piio.connect(f"mqtt://anna@127.0.0.1:{PORT}") as client:
        assert client.configure(BOARD, {"points": POINTS}).ok
        for point in POINTS:
            bench.ear.wait_for(f"quality/{point}", "good")
        bench.ear.wait_for_plain_sets()
        yield client


@pytest.fixture
def ear(bench: Bench, admin: Client) -> Ear:
    """Hears what is said of the board from now on, once its points are in force."""
    return bench.ear


@pytest.fixture
def chip(bench: Bench) -> SimChip:
    return bench.chip


@pytest.fixture
def parameters() -> Iterator[Path]:
    """What the converter is made to give; it works again at the end."""
    yield PARAMETERS
    (PARAMETERS / "fail").write_text("0")


@pytest.fixture(autouse=True)
def said(bench: Bench) -> Iterator[None]:
    """Show what the processes complained about beside a check that failed."""
    yield
    for name in ("bridge", "agent"):
        print(f"--- {name}\n{bench.log(name)[-3000:]}")
