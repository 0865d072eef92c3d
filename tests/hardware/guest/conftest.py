"""Inside the guest: a simulated GPIO chip of the kernel's, seen from its other side."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from piio_agent.interfaces import Context, Interface
from piio_agent.interfaces.door import make
from tests.hardware.guest.burst import Burst
from tests.hardware.guest.sim_chip import SimChip


@pytest.fixture
def chip() -> Iterator[SimChip]:
    """A Pi 4's chip; not the first one, as on a Pi 5 with its several."""
    assert os.uname().nodename == "hwlab", "this runs in the guest only"
    other, chip = SimChip("another-chip", 4), SimChip("pinctrl-bcm2711")
    yield chip
    chip.remove()
    other.remove()


@pytest.fixture
def gpio(chip: SimChip) -> Iterator[Interface]:
    """The driver gpiod on that chip, found by itself; not asked anything yet."""
    with make("gpiod", {}, Context()) as interface:
        yield interface


@pytest.fixture
def burst(chip: SimChip, monkeypatch: pytest.MonkeyPatch) -> Burst:
    """More edges than the kernel keeps, for somebody who is busy."""
    return Burst(chip, monkeypatch)
