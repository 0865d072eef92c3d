"""GPIO lines that we hold by one request, and the edges that come out of them."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from piio_agent.clock import Clock, unix_ahead_ns
from piio_agent.interfaces.contract import Direction, Edge, OnEdge
from piio_agent.interfaces.errors import ChannelClosed, DeviceFailed
from piio_agent.interfaces.gpiod_channels import Lines
from piio_agent.interfaces.gpiod_request import EVENTS

if TYPE_CHECKING:
    from gpiod import EdgeEvent

log = logging.getLogger(__name__)


class HeldLine:
    """What one request gave us; it is asked by one thread at a time, as libgpiod wants."""

    def __init__(self, request: Any, lines: Lines, clock: Clock) -> None:
        self.lines = lines
        self.direction: Direction = "input"
        self.edges = False
        """Whether the kernel reports edges."""
        self.fd: int = request.fd
        self._request = request
        self._clock = clock
        self._lock = threading.Lock()
        self._released = False
        self._on_edge: OnEdge | None = None
        self._seq = 0

    def read(self) -> float:
        """The raw, of all lines in one call."""
        with self._lock:
            return self._raw()

    def write(self, raw: float) -> None:
        """Drive an output, all lines in one call."""
        values = self.lines.values(raw)
        with self._lock:
            self._check()
            try:
                self._request.set_values(values)
            except OSError as reason:
                raise DeviceFailed(self.lines.label, "writing", reason) from reason

    def gone(self) -> bool:
        """Whether its chip was taken away: then nothing can be done with it any more."""
        with self._lock:
            try:
                self._request.get_value(self.lines.offsets[0])
            except OSError as reason:
                return reason.errno == errno.ENODEV
            return False

    def reconfigure(self, config: dict[int, Any]) -> None:
        """Change direction, settings and value in one go, without letting go of the lines."""
        with self._lock:
            self._check()
            self._on_edge = None
            self._request.reconfigure_lines(config)

    def watch(self, on_edge: OnEdge) -> None:
        """Have the edges that happen from now on delivered by `deliver`."""
        with self._lock:
            self._check()
            for event in self._pending():
                self._seq = event.line_seqno
            self._on_edge = on_edge

    def release(self) -> None:
        """Let go of the lines."""
        with self._lock:
            self._on_edge = None
            if not self._released:
                self._released = True
                self._request.release()

    def deliver(self) -> bool:
        """Read what edges there are, and report them; False if there will be none any more."""
        with self._lock:
            if self._released:
                return False
            try:
                edges = self._edges(self._pending())
            except DeviceFailed as reason:
                # Its next reader hears of it as well; to wait for a chip that has gone would be a busy loop.
                log.info("no more edges: %s", reason)
                return False
            on_edge = self._on_edge
        for edge in edges if on_edge else ():
            # Closed or given to somebody else between two edges.
            if self._on_edge is on_edge:
                self._report(on_edge, edge)
        return True

    def _report(self, on_edge: OnEdge | None, edge: Edge) -> None:
        try:
            if on_edge:
                on_edge(edge)
        except Exception:
            log.exception("an edge of %s was not handled", self.lines.label)

    def _pending(self) -> Sequence[EdgeEvent]:
        """What has happened until now; not all that happens meanwhile: a line that oscillates never comes to an end."""
        events: list[EdgeEvent] = []
        try:
            while len(events) < EVENTS and self._request.wait_edge_events(0):
                events += self._request.read_edge_events()
        except OSError as reason:
            raise DeviceFailed(self.lines.label, "waiting for edges", reason) from reason
        return events

    def _edges(self, events: Sequence[EdgeEvent]) -> list[Edge]:
        # The kernel stamps with CLOCK_MONOTONIC; the distance to Unix time is taken now, when the edge is young.
        ahead = unix_ahead_ns(self._clock)
        edges = []
        for event in events:
            lost, self._seq = max(0, event.line_seqno - self._seq - 1), event.line_seqno
            kind: Literal["rising", "falling"] = "rising" if event.event_type is event.Type.RISING_EDGE else "falling"
            edges.append(Edge(kind, event.timestamp_ns + ahead, event.timestamp_ns, self._seq, lost))
        if any(edge.lost for edge in edges):
            edges += self._correction(edges[-1])
        return edges

    def _correction(self, last: Edge) -> list[Edge]:
        """After a burst the level counts: an edge to it, should the last one say otherwise and no other follow."""
        try:
            raw = self._raw()
        except DeviceFailed:
            return []  # whoever reads it next is told
        if raw == last.raw or self._request.wait_edge_events(0):
            return []
        kind: Literal["rising", "falling"] = "rising" if raw else "falling"
        return [Edge(kind, self._clock.unix_ns(), self._clock.monotonic_ns(), last.seq, lost=1)]

    def _raw(self) -> float:
        self._check()
        try:
            return self.lines.raw(self._request.get_values(self.lines.offsets))
        except OSError as reason:
            raise DeviceFailed(self.lines.label, "reading", reason) from reason

    def _check(self) -> None:
        if self._released:
            raise ChannelClosed(self.lines.label)
