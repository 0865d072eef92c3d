"""An interface whose lines can be counted, whatever its driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from piio_agent.counting.counts import KeptCounts
from piio_agent.counting.line import SharedLine
from piio_agent.counting.meters import COUNTS, CountMeter, Meter, WindowMeter
from piio_agent.counting.settings import CountingSettings, countable, line_settings, with_counting
from piio_agent.interfaces.contract import Channel, Direction, Interface, OnEdge
from piio_agent.interfaces.errors import ChannelClosed
from piio_schemas.counting import split


class Counting(Interface):
    """The inputs of an interface, and beside each line `17` that can be counted `17-pulses`, `17-frequency` and so on.

    All of them are inputs and share one request of the line. They are not among `channels`, which would be long: each
    is known by its name. A channel of the driver's own by such a name is the driver's.
    """

    def __init__(self, name: str, interface: Interface, counts: KeptCounts) -> None:
        super().__init__(interface.options, interface.context)
        self._name = name
        self._interface = interface
        self._counts = counts
        self._known: Mapping[str, Channel] | None = None
        self._lines: dict[str, SharedLine] = {}

    def channels(self) -> Mapping[str, Channel]:
        """The driver's own."""
        self._known = self._interface.channels()
        return self._known

    def settings_for(self, channel: str) -> type[Any]:
        """The driver's; of a counting channel more."""
        counted = self._split(channel)
        driver = self._interface.settings_for(counted[0] if counted else channel)
        return with_counting(driver) if counted else driver

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:
        """Take an input; a line that several channels look at is opened once."""
        counted = self._split(channel)
        base, measure = counted or (channel, "")
        known = self._channels.get(base)
        if known is None or direction != "input" or not countable(self._interface, known):
            self._interface.open(channel, direction, settings, first)
            return
        line = self._lines.get(base) or SharedLine(self._interface, base, known.label)
        if measure:
            meter = self._meter(channel, measure, settings)
            line.join(channel, line_settings(self._interface.settings_for(base), settings), meter)
        else:
            line.join(channel, settings)
        self._lines[base] = line

    def read(self, channel: str) -> float:
        """The driver's reading, or what a counting channel has come to."""
        counted = self._split(channel)
        line = self._lines.get(counted[0] if counted else channel)
        if counted:
            if line is None:
                raise ChannelClosed(channel)
            return line.measure(channel)
        return line.read() if line else self._interface.read(channel)

    def read_ahead(self, channels: Sequence[str]) -> None:
        """For the driver, what is its own."""
        self._interface.read_ahead([channel for channel in channels if not self._split(channel)])

    def fastest(self) -> float | None:
        """The driver's."""
        return self._interface.fastest()

    def sample(self, channels: Sequence[str]) -> Sequence[float]:
        """The driver's samples."""
        return self._interface.sample(channels)

    def write(self, channel: str, raw: float) -> None:
        """Write to the driver."""
        self._interface.write(channel, raw)

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Report the edges of a line; of a counting channel there are none."""
        line = self._lines.get(channel)
        if line:
            line.watch(on_edge)
        else:
            self._interface.watch(channel, on_edge)

    def simulate(self, channel: str, raw: float | None) -> None:
        """Be the outside world of the driver's channel."""
        self._interface.simulate(channel, raw)

    def close(self, channel: str) -> None:
        """Let go; a line goes with the last channel that looks at it."""
        counted = self._split(channel)
        base = counted[0] if counted else channel
        line = self._lines.get(base)
        if line:
            try:
                line.leave(channel)
            finally:
                if not line.used:
                    del self._lines[base]
        elif not counted:
            self._interface.close(channel)

    def shut(self) -> None:
        """Let go of everything; counts stay."""
        self._lines.clear()
        self._interface.shut()

    @property
    def _channels(self) -> Mapping[str, Channel]:
        return self.channels() if self._known is None else self._known

    def _split(self, channel: str) -> tuple[str, str] | None:
        """The line and the measure of a counting channel."""
        found = split(channel)
        if found is None or channel in self._channels:
            return None
        known = self._channels.get(found[0])
        return found if known and countable(self._interface, known) else None

    def _meter(self, channel: str, measure: str, settings: CountingSettings) -> Meter:
        if measure in COUNTS:
            return CountMeter(measure, self._counts.resume(f"{self._name}/{channel}", settings.start, settings.keep))
        return WindowMeter(measure, settings.window)
