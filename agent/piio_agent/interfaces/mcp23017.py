"""The MCP23017, sixteen lines over I2C, which remembers by itself what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from piio_agent.interfaces.expander import Expander, Port
from piio_agent.interfaces.i2c import I2cDevice

# Data sheet DS20001952, table 3-5 (BANK = 0); each has a second one, for port B, behind it.
IODIR, IPOL, GPINTEN, INTCON, IOCON, GPPU, GPIO, OLAT = 0x00, 0x02, 0x04, 0x08, 0x0A, 0x0C, 0x12, 0x14

# Both INT pins tell of both ports, and nobody drives them while there is nothing to tell.
MIRROR, OPEN_DRAIN = 0x40, 0x04


@dataclass(frozen=True)
class Mcp23017Settings:
    """The settings of one line."""

    active_low: Annotated[
        bool, Meta(title="Active low", description="Raw 1 means that the line is at its low level.")
    ] = False
    bias: Annotated[
        Literal["as-is", "disabled", "pull-up"],
        Meta(title="Bias", description="The resistor of 100 kΩ that holds an input high; outputs ignore it."),
    ] = "as-is"


class Mcp23017(Expander):
    """Lines GPA0 to GPB7 are the channels 0 to 15."""

    name = "mcp23017"
    title = "MCP23017, 16 lines (I2C)"
    Settings: ClassVar[type[Any]] = Mcp23017Settings
    labels = tuple(f"GP{port}{n}" for port in "AB" for n in range(8))

    def _make_port(self) -> Port:
        return Mcp23017Port(I2cDevice(self.options.bus, self.options.address))


class Mcp23017Port:
    """Registers are read before they are changed, so that lines which are not ours stay as they are."""

    def __init__(self, device: I2cDevice) -> None:
        self._device = device

    def levels(self) -> int:
        return self._device.read_register(GPIO) | self._device.read_register(GPIO + 1) << 8

    def make_input(self, line: int, settings: Mcp23017Settings, interrupt: bool) -> None:
        # The chip could invert by itself; somebody may have told it to.
        self._set(IPOL, line, 0)
        if settings.bias != "as-is":
            self._set(GPPU, line, settings.bias == "pull-up")
        self._set(IODIR, line, 1)
        if interrupt:
            self._device.write_register(IOCON, MIRROR | OPEN_DRAIN)
            self._set(INTCON, line, 0)
        self._set(GPINTEN, line, interrupt)

    def make_output(self, line: int, level: int) -> None:
        # Its level first: it has it in the moment it becomes an output. The direction each time, for a chip that was
        # without power in between has forgotten it.
        self._set(GPINTEN, line, 0)
        self._set(IPOL, line, 0)
        self._set(OLAT, line, level)
        self._set(IODIR, line, 0)

    def _set(self, register: int, line: int, bit: int) -> None:
        register, line = register + line // 8, line % 8
        before = self._device.read_register(register)
        after = before | 1 << line if bit else before & ~(1 << line)
        if after != before:
            self._device.write_register(register, after)
