"""The digital lines of a simulated board, and the wires between them."""

from __future__ import annotations

from collections.abc import Iterable

from piio_agent.clock import NS
from piio_agent.interfaces.contract import Direction, OnEdge
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, InterfaceError, ValueRefused
from piio_agent.interfaces.line_settings import LineSettings
from piio_agent.interfaces.simulation.line import Line, contended, level_of
from piio_agent.interfaces.simulation.pacemaker import Pacemaker, Watch
from piio_agent.interfaces.simulation.trace import Trace

GPIO = "gpio"


class Bank:
    """Lines by channel id; every change is sensed by whoever watches, and traced.

    An output against the outside world wins, and the trace says `contention`; see `line.level_of`.
    """

    def __init__(self, channels: Iterable[str], pacemaker: Pacemaker, trace: Trace) -> None:
        self._pacemaker = pacemaker
        self._trace = trace
        self._lines = {channel: Line(channel) for channel in channels}
        self._nets: dict[str, list[Line]] = {channel: [line] for channel, line in self._lines.items()}
        self._contended: set[str] = set()
        self._faults: dict[str, str] = {}

    @property
    def held(self) -> bool:
        """Whether anybody has a line open."""
        return any(line.direction for line in self._lines.values())

    def wire(self, a: str, b: str) -> None:
        """Connect two lines."""
        with self._pacemaker.lock:
            first, second = self._nets[self._line(a).channel], self._nets[self._line(b).channel]
            if first is not second:
                first.extend(second)
                for line in second:
                    self._nets[line.channel] = first
            self._update(first, self._pacemaker.settle())

    def fault(self, channel: str, reason: str) -> None:
        """From now on the line answers everything with this reason; its level stays what it is."""
        with self._pacemaker.lock:
            self._faults[self._line(channel).channel] = reason
            self._trace.note(self._pacemaker.settle(), GPIO, channel, event="fault", reason=reason)

    def heal(self, channel: str) -> None:
        """The line works again."""
        with self._pacemaker.lock:
            if self._faults.pop(channel, None) is not None:
                self._trace.note(self._pacemaker.settle(), GPIO, channel, event="heal")

    def bounce(self, channel: str, times: int, spacing: float = 0.0002) -> None:
        """From now on an outside change of this line falls back and returns `times`, `spacing` seconds apart."""
        with self._pacemaker.lock:
            self._line(channel).bouncing = (times, spacing) if times else None

    def level(self, channel: str) -> int:
        """The electrical level of a line, open or not: a probe on the pin."""
        with self._pacemaker.lock:
            self._pacemaker.settle()
            return self._line(channel).level

    def open(self, channel: str, direction: Direction, settings: LineSettings, first: float | None) -> None:
        """Take a line; an output takes its first value in the same moment."""
        with self._pacemaker.lock:
            now = self._pacemaker.settle()
            line = self._working(channel)
            if direction == "output" and first is None:
                raise InterfaceError(f"{line.label}: an output needs its first value in the request that makes it one")
            raw = _digital(line, first or 0)
            line.hold(direction, settings)
            if direction == "output":
                line.drive(raw)
            self._trace.note(
                now, GPIO, channel, event="open", direction=direction, level=level_of(self._nets[channel])[0]
            )
            self._update(self._nets[channel], now)
            # An input begins with what it finds; only later changes are edges.
            line.sensed, line.seq = line.level, 0
            line.unsettled += 1

    def close(self, channel: str) -> None:
        """Let go of a line."""
        with self._pacemaker.lock:
            now = self._pacemaker.settle()
            line = self._line(channel)
            if line.direction is None:
                return
            self._trace.note(now, GPIO, channel, event="close", direction=line.direction)
            line.release()
            self._update(self._nets[channel], now)

    def read(self, channel: str) -> float:
        """The logical value of an open line: debounced for an input, the level of the pin for an output."""
        with self._pacemaker.lock:
            self._pacemaker.settle()
            line = self._working(channel)
            if line.direction is None:
                raise ChannelClosed(line.label)
            return float(line.raw(line.sensed if line.direction == "input" else line.level))

    def write(self, channel: str, raw: float) -> None:
        """Make an output take a logical value."""
        with self._pacemaker.lock:
            now = self._pacemaker.settle()
            line = self._working(channel)
            if line.direction != "output":
                raise ChannelClosed(line.label, "open as an output")
            line.drive(_digital(line, raw))
            self._update(self._nets[channel], now)

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Report the edges of an open input from now on."""
        with self._pacemaker.lock:
            self._pacemaker.settle()
            line = self._working(channel)
            if line.direction != "input":
                raise ChannelClosed(line.label, "open as an input")
            line.unwatch()
            line.watch = Watch(channel, on_edge, line.seq)

    def simulate(self, channel: str, raw: float | None) -> None:
        """Drive a line from outside to a level (0 or 1, whatever `active_low` says), or let go of it (None)."""
        with self._pacemaker.lock:
            now = self._pacemaker.settle()
            line = self._line(channel)
            line.moves += 1
            if raw is None:
                line.outside = None
                self._update(self._nets[channel], now)
            else:
                self._push(line, _digital(line, raw), now)

    def _push(self, line: Line, level: int, now: int) -> None:
        before, line.outside = line.level, level
        self._update(self._nets[line.channel], now)
        if line.bouncing and before != level:
            times, spacing = line.bouncing
            for n in range(1, 2 * times + 1):
                self._bounce_at(line, now + round(n * spacing * NS), level ^ n % 2)

    def _bounce_at(self, line: Line, due: int, level: int) -> None:
        move = line.moves

        def bounce(now: int) -> None:
            if line.moves == move:
                line.outside = level
                self._update(self._nets[line.channel], now)

        self._pacemaker.at(due, bounce)

    def _update(self, net: list[Line], now: int) -> None:
        """Let the lines of a net become what they are driven to."""
        level, by = level_of(net)
        self._note_contention(net, now)
        for line in net:
            if line.level != level:
                line.level = level
                self._trace.note(now, GPIO, line.channel, level=level, by=by)
                self._sense(line, now)

    def _note_contention(self, net: list[Line], now: int) -> None:
        if not contended(net):
            self._contended.discard(net[0].channel)
        elif net[0].channel not in self._contended:
            self._contended.add(net[0].channel)
            self._trace.note(now, GPIO, net[0].channel, event="contention", level=level_of(net)[0])

    def _sense(self, line: Line, now: int) -> None:
        line.unsettled += 1
        change, period = line.unsettled, round(line.settings.debounce_period * NS)
        if line.direction != "input" or not period:
            self._notice(line, now)
            return

        def steady(then: int) -> None:
            if line.unsettled == change:
                self._notice(line, then)

        self._pacemaker.at(now + period, steady)

    def _notice(self, line: Line, now: int) -> None:
        if line.sensed == line.level:
            return
        line.sensed = line.level
        line.seq += 1
        if line.watch:
            t_ns = self._trace.unix_ns(now)
            self._pacemaker.post(line.watch, line.seq, bool(line.raw(line.level)), t_ns, now)

    def _line(self, channel: str) -> Line:
        line = self._lines.get(channel)
        if line is None:
            raise ChannelUnknown(channel, self._lines)
        return line

    def _working(self, channel: str) -> Line:
        line = self._line(channel)
        if channel in self._faults:
            raise InterfaceError(f"{line.label}: {self._faults[channel]}")
        return line


def _digital(line: Line, raw: float) -> int:
    if raw not in (0, 1):
        raise ValueRefused(line.label, raw, "0 or 1")
    return int(raw)
