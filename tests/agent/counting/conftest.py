"""A simulated board whose lines are counted, on a clock that stands still until a test turns it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from piio_agent.clock import ManualClock
from piio_agent.counting.counts import KeptCounts
from piio_agent.counting.interface import Counting
from piio_agent.interfaces import Context, Edge
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.simulated import Simulated

PATIENCE = 5.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.001)


class Bench:
    """The lines of a board through `gpio`, and the world outside."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.clock = ManualClock()
        driver = make("simulated", {"part": "gpio", **options}, Context(clock=self.clock, folder=folder))
        assert isinstance(driver, Simulated)
        self.board = driver.board
        self.counts = KeptCounts(folder / "counts.json", self.clock)
        self.gpio = Counting("gpio", driver, self.counts)
        self.edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()

    def open(self, channel: str, **settings: Any) -> None:
        """Take an input, as the agent does."""
        self.gpio.open(channel, "input", settings_of(self.gpio, settings, channel))

    def watch(self, line: str, **settings: Any) -> None:
        """Take a line itself, so that edges are waited for until they were counted."""
        self.open(line, **settings)
        self.gpio.watch(line, self.edges.put)

    def move(self, line: str, level: int) -> Edge:
        """Drive a watched line to another level, and wait for the edge."""
        self.gpio.simulate(line, level)
        return self.edges.get(timeout=PATIENCE)

    def pulse(self, line: str, high: float, low: float, times: int = 1) -> None:
        """Drive a watched line high and low again, and let these seconds pass after each."""
        for _ in range(times):
            self.move(line, 1)
            self.clock.advance(high)
            self.move(line, 0)
            self.clock.advance(low)

    def opened(self, line: str) -> int:
        """How often the line itself was opened."""
        return sum(each.event == "open" and each.channel == line for each in self.board.trace.entries())

    def closed(self, line: str) -> int:
        """How often the line itself was let go."""
        return sum(each.event == "close" and each.channel == line for each in self.board.trace.entries())


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Boards that share a folder, as the same board does before and after a restart."""
    made: list[Bench] = []

    def make_one(**options: Any) -> Bench:
        made.append(Bench(tmp_path, **options))
        return made[-1]

    yield make_one
    for each in made:
        each.gpio.shut()
        each.counts.finish(PATIENCE)


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
