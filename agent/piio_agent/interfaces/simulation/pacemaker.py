"""The board's own thread: does what is due, and delivers edges with no lock held."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from piio_agent.clock import NS, Clock
from piio_agent.interfaces.contract import Edge, OnEdge

QUEUE = 10_000

log = logging.getLogger(__name__)


class Watch:
    """Somebody who waits for the edges of one line; knows which it delivered, and so how many were lost."""

    def __init__(self, line: str, on_edge: OnEdge, seq: int) -> None:
        self.line = line
        self.on_edge = on_edge
        self.seq = seq
        self.active = True

    def deliver(self, seq: int, rising: bool, t_ns: int, mono_ns: int) -> None:
        """Call the watcher; what it raises is its own fault and does not stop the next edge."""
        if not self.active:
            return
        lost, self.seq = seq - self.seq - 1, seq
        try:
            self.on_edge(Edge("rising" if rising else "falling", t_ns, mono_ns, seq, lost))
        except Exception:
            log.exception("an edge of GPIO%s was not handled", self.line)


class Pacemaker:
    """An agenda of things due, on the board's clock, and a bounded queue of edges to deliver.

    `lock` guards the board and everything here; the thread starts when it is first needed and ends with `stop`.
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.Condition(threading.RLock())
        self._clock = clock
        self._agenda: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()
        # When it is full the oldest edge makes room, as in the kernel; the gap in `seq` tells.
        self._edges: deque[tuple[Watch, tuple[Any, ...]]] = deque(maxlen=QUEUE)
        self._thread: threading.Thread | None = None

    def at(self, mono_ns: int, action: Callable[[int], None]) -> None:
        """Do something at a time of the board's clock; it gets that time. Call with the lock held."""
        heapq.heappush(self._agenda, (mono_ns, next(self._order), action))
        self._wake()

    def post(self, watch: Watch, *edge: Any) -> None:
        """Deliver an edge (the arguments of `Watch.deliver`) soon, in order. Call with the lock held."""
        self._edges.append((watch, edge))
        self._wake()

    def settle(self) -> int:
        """Do all that is due and return the time; call with the lock held, before looking or touching."""
        now = self._clock.monotonic_ns()
        while self._agenda and self._agenda[0][0] <= now:
            due, _, action = heapq.heappop(self._agenda)
            action(due)
        return now

    def stop(self) -> None:
        """End the thread and forget what was not delivered; it starts again when needed."""
        with self.lock:
            # Not joined: a watcher on its way may be waiting for a lock that the caller holds.
            self._thread = None
            self._edges.clear()
            self._agenda.clear()
            self.lock.notify_all()

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="simulated board", daemon=True)
            self._thread.start()
        self.lock.notify_all()

    def _run(self) -> None:
        while edges := self._next():
            for watch, edge in edges:
                watch.deliver(*edge)

    def _next(self) -> list[tuple[Watch, tuple[Any, ...]]]:
        """Wait for edges; none means that the thread has to end."""
        with self.lock:
            while self._thread is threading.current_thread():
                now = self.settle()
                if self._edges:
                    edges = list(self._edges)
                    self._edges.clear()
                    return edges
                self.lock.wait((self._agenda[0][0] - now) / NS if self._agenda else None)
            return []
