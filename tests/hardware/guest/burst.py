"""Inside the guest: more edges than the kernel keeps, for somebody who is busy."""

from __future__ import annotations

import queue
import time
from typing import Any

import pytest

from piio_agent.interfaces import Edge, Interface

DEADLINE = 10.0

KEPT = 16
"""Edges that the kernel keeps: few, lest the burst takes seconds."""

PULLS = 41


class Burst:
    """Line 5 is pulled up, and while its watcher is busy with that 41 times down and up."""

    def __init__(self, chip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("piio_agent.interfaces.gpiod_request.EVENTS", KEPT)
        self._chip = chip
        self._edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
        self._first, self._go_on = queue.SimpleQueue[Edge](), queue.SimpleQueue[None]()

    def happen(self, watched: Interface) -> list[Edge]:
        """Return the edges that came through: the first, and the newest that were kept."""
        watched.watch("5", self._slow)
        self._chip.pull(5, 1)
        self._first.get(timeout=DEADLINE)
        for n in range(PULLS):  # ticks apart, so that none coalesce
            self._chip.pull(5, n % 2)
            time.sleep(0.005)
        self._go_on.put(None)
        return [self._edges.get(timeout=DEADLINE) for _ in range(1 + KEPT)]

    @property
    def over(self) -> bool:
        """Whether no more came than was waited for."""
        return self._edges.empty()

    def _slow(self, edge: Edge) -> None:
        if edge.seq == 1:
            self._first.put(edge)
            self._go_on.get(timeout=30)
        self._edges.put(edge)
