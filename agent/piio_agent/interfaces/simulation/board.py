"""The simulated board: one per agent, whatever number of interfaces looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from piio_agent.interfaces.contract import Channel, Context
from piio_agent.interfaces.errors import ChannelUnknown
from piio_agent.interfaces.header import PINS
from piio_agent.interfaces.simulation.analog import ADC, AnalogInputs
from piio_agent.interfaces.simulation.bank import GPIO, Bank
from piio_agent.interfaces.simulation.pacemaker import Pacemaker
from piio_agent.interfaces.simulation.trace import Trace

KEY: Final = "simulated board"

LINES: Mapping[str, Channel] = {
    str(n): Channel(f"GPIO{n} (pin {pin})", ("input", "output"), "digital", edges=True) for n, pin in PINS.items()
}

WIRES = (("22", "27"), ("23", "24"))


class Board:
    """Digital lines, analog inputs, one trace and one clock for all of them."""

    def __init__(self, context: Context) -> None:
        self.trace = Trace(context.clock, context.folder)
        self.pacemaker = Pacemaker(context.clock)
        self.gpio = Bank(LINES, self.pacemaker, self.trace)
        self.adc = AnalogInputs(context.clock, self.pacemaker, self.trace)
        for a, b in WIRES:
            self.gpio.wire(a, b)

    @classmethod
    def of(cls, context: Context) -> Board:
        """The board that the interfaces of this agent share; the first to ask makes it."""
        board = context.shared.get(KEY) or context.shared.setdefault(KEY, cls(context))
        if not isinstance(board, cls):
            raise TypeError(f"something else is in the shared {KEY!r}")
        return board

    def fault(self, interface: str, channel: str, reason: str) -> None:
        """Make a channel answer everything with this reason, as broken or missing hardware does."""
        self._part(interface).fault(channel, reason)

    def heal(self, interface: str, channel: str) -> None:
        """Make a channel work again."""
        self._part(interface).heal(channel)

    def settle(self) -> None:
        """Do what is due by the clock (bounces, debouncing); only who turns the clock by hand needs it."""
        with self.pacemaker.lock:
            self.pacemaker.settle()

    def rest(self) -> None:
        """End the board's thread and close its trace if nobody holds a channel; its state stays."""
        with self.pacemaker.lock:
            if not (self.gpio.held or self.adc.held):
                self.pacemaker.stop()
                self.trace.close()

    def _part(self, interface: str) -> Bank | AnalogInputs:
        parts: Mapping[str, Bank | AnalogInputs] = {GPIO: self.gpio, ADC: self.adc}
        if interface not in parts:
            raise ChannelUnknown(interface, parts)
        return parts[interface]
