"""A simulated board on a clock that stands still until a test turns it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from piio_agent.clock import ManualClock
from piio_agent.interfaces import Context
from piio_agent.interfaces.door import make
from piio_agent.interfaces.simulated import Simulated


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def context(clock: ManualClock, tmp_path: Path) -> Context:
    return Context(clock=clock, folder=tmp_path)


@pytest.fixture
def gpio(context: Context) -> Iterator[Simulated]:
    interface = make("simulated", {"part": "gpio"}, context)
    assert isinstance(interface, Simulated)
    with interface:
        yield interface
