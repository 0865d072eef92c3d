"""The simulated board as a driver: `gpio` and `adc` of one board, which every part of the product can be tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from piio_agent.interfaces.contract import Channel, Context, Direction, Interface, NoSettings, OnEdge
from piio_agent.interfaces.line_settings import LineSettings
from piio_agent.interfaces.simulation.analog import CHANNELS
from piio_agent.interfaces.simulation.board import LINES, Board

BOUNCES = 5

FASTEST = 10_000.0
"""Readings a second of the simulated converter: a sixth of a fast machine's processor."""


@dataclass(frozen=True)
class SimulatedOptions:
    """Which part of the board, and what is wrong with it."""

    part: Annotated[
        Literal["gpio", "adc"], Meta(description="The lines (channels 2 to 27) or the analog inputs (0 to 7).")
    ] = "gpio"
    bouncing: Annotated[
        tuple[str, ...], Meta(description="Lines with a button that bounces five times when the outside moves it.")
    ] = ()
    faults: Annotated[
        Mapping[str, str], Meta(description="By channel: the reason with which it answers everything.")
    ] = field(default_factory=dict)


class Simulated(Interface):
    """A part of the board that all simulated interfaces of one agent share.

    `simulate` drives the electrical line, 0 or 1, so with `active_low` raw is the opposite; an output driven against
    the outside world wins. Making one gives the part that the options ask for.
    """

    name = "simulated"
    title = "Simulated board"
    Options: ClassVar[type[Any]] = SimulatedOptions
    Settings: ClassVar[type[Any]] = LineSettings
    options: SimulatedOptions

    def __new__(cls, options: SimulatedOptions, context: Context) -> Simulated:  # noqa: ARG004
        """The class of the part, so that its `Settings` are right on the class, too."""
        return super().__new__(SimulatedAdc if options.part == "adc" else SimulatedGpio)

    def __init__(self, options: SimulatedOptions, context: Context) -> None:
        super().__init__(options, context)
        self._opened: set[str] = set()
        self.board = Board.of(context)
        for channel, reason in options.faults.items():
            self.board.fault(options.part, channel, reason)

    def shut(self) -> None:
        """Let go of what this part holds, and let the board rest."""
        for channel in list(self._opened):
            self.close(channel)
        self.board.rest()


class SimulatedGpio(Simulated):
    """The lines 2 to 27; 22 is wired to 27, and 23 to 24."""

    title = "Simulated GPIO lines"

    def __init__(self, options: SimulatedOptions, context: Context) -> None:
        super().__init__(options, context)
        for channel in options.bouncing:
            self.board.gpio.bounce(channel, BOUNCES)

    def channels(self) -> Mapping[str, Channel]:
        """The lines of the 40-pin header."""
        return LINES

    def open(self, channel: str, direction: Direction, settings: LineSettings, first: float | None = None) -> None:
        """Take a line."""
        self.board.gpio.open(channel, direction, settings, first)
        self._opened.add(channel)

    def read(self, channel: str) -> float:
        """0 or 1, logical."""
        return self.board.gpio.read(channel)

    def write(self, channel: str, raw: float) -> None:
        """Drive an output."""
        self.board.gpio.write(channel, raw)

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Report edges on the board's thread."""
        self.board.gpio.watch(channel, on_edge)

    def simulate(self, channel: str, raw: float | None) -> None:
        """Drive the line from outside."""
        self.board.gpio.simulate(channel, raw)

    def close(self, channel: str) -> None:
        """Let go of a line."""
        self.board.gpio.close(channel)
        self._opened.discard(channel)


class SimulatedAdc(Simulated):
    """The analog inputs 0 to 7, 0 to 1023 counts; 0 moves by itself until `simulate` takes it."""

    title = "Simulated MCP3008"
    Settings: ClassVar[type[Any]] = NoSettings

    def channels(self) -> Mapping[str, Channel]:
        """Those of an MCP3008."""
        return CHANNELS

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:  # noqa: ARG002
        """Take an input."""
        self.board.adc.open(channel, direction)
        self._opened.add(channel)

    def read(self, channel: str) -> float:
        """Counts."""
        return self.board.adc.read(channel)

    def sample(self, channels: Sequence[str]) -> Sequence[float]:
        """Counts of each."""
        return self.board.adc.sample(channels)

    def fastest(self) -> float | None:
        """So many that the rest of the machine has its time, too."""
        return FASTEST

    def simulate(self, channel: str, raw: float | None) -> None:
        """Hold an input at so many counts."""
        self.board.adc.simulate(channel, raw)

    def close(self, channel: str) -> None:
        """Let go of an input."""
        self.board.adc.close(channel)
        self._opened.discard(channel)
