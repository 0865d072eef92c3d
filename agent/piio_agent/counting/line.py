"""One line that several channels look at: the line itself, and what is measured of it."""

from __future__ import annotations

import contextlib
from typing import Any

from piio_agent.clock import NS
from piio_agent.counting.meters import Meter
from piio_agent.counting.tally import Tally
from piio_agent.interfaces.contract import Edge, Interface, OnEdge
from piio_agent.interfaces.errors import ChannelClosed, NoReading, NotSupported

CONFIRM = 2 * NS
"""Nanoseconds between two readings of a line that is only counted: no edge tells that its chip has gone."""


class SharedLine:
    """Opened once and watched once, whoever looks at it.

    What the edges make is read and changed under the tally's lock; all else is for the one thread that has the inputs.
    """

    def __init__(self, interface: Interface, channel: str, label: str) -> None:
        self._interface = interface
        self._channel = channel
        self._label = label
        self._clock = interface.context.clock
        self._meters: dict[str, Meter | None] = {}
        """By who looks at the line; the line itself has none."""
        self._settings: Any = None
        self._open = False
        self._edges = False
        self._confirmed_ns = 0
        self._tally = Tally()
        self._on_edge: OnEdge | None = None

    @property
    def used(self) -> bool:
        """Whether anybody looks at it."""
        return bool(self._meters)

    def join(self, user: str, settings: Any, meter: Meter | None = None) -> None:
        """Look at the line from now on, with a meter or, as the line itself, without.

        A line that has failed is opened anew, and so is one that had other settings: the newest hold for all.
        """
        try:
            if not self._open or settings != self._settings:
                self._begin(settings)
            if meter and not self._edges:
                raise NotSupported(f"{self._label} reports no edges, so nothing can be counted there")
        except Exception:
            if not self.used:
                with contextlib.suppress(Exception):  # the reason is told already
                    self._interface.close(self._channel)
            raise
        self._put(user, meter)

    def leave(self, user: str) -> None:
        """Look no longer; the line is let go with the last who did."""
        if user in self._meters:
            self._put(user, None)
            del self._meters[user]
        if user == self._channel:
            self._on_edge = None
        if not self.used:
            self._open = False
            self._interface.close(self._channel)

    def watch(self, on_edge: OnEdge) -> None:
        """Hand each edge on to who watches the line itself."""
        if not self._edges:
            raise NotSupported(f"{self._label} reports no edges")
        self._on_edge = on_edge

    def read(self) -> float:
        """The line's own raw."""
        if not self._open:
            raise ChannelClosed(self._label)
        try:
            raw = self._interface.read(self._channel)
        except Exception:
            self._open = False  # for all who look at it
            raise
        self._confirmed_ns = self._clock.monotonic_ns()
        return raw

    def measure(self, user: str) -> float:
        """What a meter reads now."""
        meter = self._meters.get(user)
        if meter is None or not self._open:
            raise ChannelClosed(self._label)
        if self._clock.monotonic_ns() - self._confirmed_ns >= CONFIRM:
            self.read()
        with self._tally.lock:
            raw = meter.read(self._tally, self._clock.monotonic_ns())
        if raw is None:
            raise NoReading(f"{self._label} is at rest: nothing to measure while no pulses come")
        return raw

    def _begin(self, settings: Any) -> None:
        self._open = False
        self._tally.interrupt()
        self._interface.open(self._channel, "input", settings)
        try:
            self._interface.watch(self._channel, self._deliver)
        except NotSupported:
            self._edges = False
        else:
            self._edges = True
            self._tally.begin(bool(self._interface.read(self._channel)))
        self._settings, self._open, self._confirmed_ns = settings, True, self._clock.monotonic_ns()

    def _put(self, user: str, meter: Meter | None) -> None:
        before = self._meters.get(user)
        self._meters[user] = meter
        with self._tally.lock:
            if before:
                before.detach(self._tally)
            if meter:
                meter.attach(self._tally)

    def _deliver(self, edge: Edge) -> None:
        """Take an edge, on the driver's thread."""
        self._tally.take(edge)
        on_edge = self._on_edge
        if on_edge:
            on_edge(edge)
