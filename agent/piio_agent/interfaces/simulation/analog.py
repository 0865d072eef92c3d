"""The analog inputs of a simulated board: eight voltages in front of an MCP3008."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from piio_agent.clock import Clock
from piio_agent.interfaces.contract import Channel, Direction
from piio_agent.interfaces.converter import CONVERTERS
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, InterfaceError, NotSupported, ValueRefused
from piio_agent.interfaces.simulation.mcp3xxx import FULL_SCALE, Mcp3xxxChip
from piio_agent.interfaces.simulation.pacemaker import Pacemaker
from piio_agent.interfaces.simulation.trace import Trace

ADC = "adc"
PERIOD = 13.0  # seconds of the motion of ADC 0: no multiple of the idle period, at which it would seem to rest

_MCP3008 = CONVERTERS["mcp3008"]

CHANNELS: Mapping[str, Channel] = {id: channel for id, channel in _MCP3008.channels.items() if "-" not in id}
"""The single inputs 0 to 7, 0 to 1023 counts."""


class AnalogInputs:
    """Channels 0 to 7: 0 moves by itself, n rests at 128 n, until `simulate` takes one."""

    def __init__(self, clock: Clock, pacemaker: Pacemaker, trace: Trace) -> None:
        self._clock = clock
        self._pacemaker = pacemaker
        self._trace = trace
        self._outside: dict[int, int] = {}
        self._open: set[str] = set()
        self._faults: dict[str, str] = {}
        self._chip = Mcp3xxxChip(self._counts)

    @property
    def held(self) -> bool:
        """Whether anybody has a channel open."""
        return bool(self._open)

    def open(self, channel: str, direction: Direction) -> None:
        """Take a channel."""
        with self._pacemaker.lock:
            self._working(channel)
            if direction != "input":
                raise NotSupported(f"ADC {channel} is an input only")
            self._open.add(channel)
            self._note(channel, event="open", direction=direction)

    def close(self, channel: str) -> None:
        """Let go of a channel."""
        with self._pacemaker.lock:
            if self._known(channel) in self._open:
                self._open.discard(channel)
                self._note(channel, event="close", direction="input")

    def read(self, channel: str) -> float:
        """One conversion, in counts, through the frames that the real driver sends."""
        with self._pacemaker.lock:
            self._working(channel)
            if channel not in self._open:
                raise ChannelClosed(f"ADC {channel}")
            return float(_MCP3008.counts(self._chip.transfer(_MCP3008.frame(channel))))

    def sample(self, channels: Sequence[str]) -> Sequence[float]:
        """One conversion of each, with nothing in between."""
        with self._pacemaker.lock:
            return [self.read(channel) for channel in channels]

    def simulate(self, channel: str, raw: float | None) -> None:
        """Hold a channel at so many counts exactly, or let go of it (None)."""
        with self._pacemaker.lock:
            n = int(self._known(channel))
            if raw is None:
                self._outside.pop(n, None)
                self._note(channel, level=self._counts(n), by="released")
                return
            if not (0 <= raw <= FULL_SCALE and raw == int(raw)):
                raise ValueRefused(f"ADC {channel}", raw, f"whole counts from 0 to {FULL_SCALE}")
            self._outside[n] = int(raw)
            self._note(channel, level=int(raw), by="outside")

    def fault(self, channel: str, reason: str) -> None:
        """From now on the channel answers everything with this reason."""
        with self._pacemaker.lock:
            self._faults[self._known(channel)] = reason
            self._note(channel, event="fault", reason=reason)

    def heal(self, channel: str) -> None:
        """The channel works again."""
        with self._pacemaker.lock:
            if self._faults.pop(channel, None) is not None:
                self._note(channel, event="heal")

    def _counts(self, n: int) -> int:
        if n in self._outside:
            return self._outside[n]
        if n:
            return n * 128
        swing = math.sin(2 * math.pi * self._clock.monotonic() / PERIOD)
        return round(511.5 + 510.5 * swing)

    def _note(self, channel: str, **what: object) -> None:
        self._trace.note(self._pacemaker.settle(), ADC, channel, **what)  # type: ignore[arg-type]

    def _known(self, channel: str) -> str:
        if channel not in CHANNELS:
            raise ChannelUnknown(channel, CHANNELS)
        return channel

    def _working(self, channel: str) -> None:
        if self._known(channel) in self._faults:
            raise InterfaceError(f"ADC {channel}: {self._faults[channel]}")
