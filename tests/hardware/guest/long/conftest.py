"""Inside the guest: an installation for runs that take seconds, without points yet."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import piio
from piio.client import Client
from tests.hardware.guest.installation.bench import PORT, Bench
from tests.hardware.guest.sim_chip import SimChip


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Broker, bridge and agent, which is known to the bridge."""
    assert os.uname().nodename == "hwlab", "this runs in the guest only"
    other, chip = SimChip("another-chip", 4), SimChip("pinctrl-bcm2711")
    bench = Bench(chip, tmp_path_factory.mktemp("bench"))
    bench.ear.wait_until_online()
    yield bench
    bench.stop()
    chip.remove()
    other.remove()


@pytest.fixture
def admin(bench: Bench) -> Iterator[Client]:
    """A person who may configure the board."""
    with piio.connect(f"mqtt://anna@127.0.0.1:{PORT}") as client:
        yield client


@pytest.fixture(autouse=True)
def said(bench: Bench) -> Iterator[None]:
    """Show what the processes complained about beside a check that failed."""
    yield
    for name in ("bridge", "agent"):
        print(f"--- {name}\n{bench.log(name)[-3000:]}")
