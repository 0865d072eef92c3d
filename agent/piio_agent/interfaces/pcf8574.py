"""The PCF8574 and PCF8574A, eight quasi-bidirectional lines over I2C."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces.expander import Expander, Port
from piio_agent.interfaces.i2c import I2cDevice

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pcf8574Settings:
    """The settings of one line."""

    active_low: Annotated[
        bool, Meta(title="Active low", description="Raw 1 means that the line is at its low level.")
    ] = False


class Pcf8574(Expander):
    """Low is driven; high is a weak current, as inputs and lines after power-on have it: it can be pulled low."""

    name = "pcf8574"
    title = "PCF8574, 8 lines (I2C)"
    Settings: ClassVar[type[Any]] = Pcf8574Settings
    labels = tuple(f"P{n}" for n in range(8))

    def _make_port(self) -> Port:
        where = f"pcf8574-{self.options.bus}-{self.options.address:02x}"
        folder = self.context.folder
        return Pcf8574Port(I2cDevice(self.options.bus, self.options.address), folder / where if folder else None)


class Pcf8574Port:
    """One byte out, one byte in; what was last written cannot be read back, so it is remembered in a file.

    That keeps a restarted agent from letting go of its neighbours' lines: one is driven low on only if it was ours
    and still is low. Without a file all others are let go by the first write.
    """

    def __init__(self, device: I2cDevice, file: Path | None) -> None:
        self._device = device
        self._file = file
        self._latch: int | None = None

    def levels(self) -> int:
        return self._device.read_byte()

    def make_input(self, line: int, settings: Any, interrupt: bool) -> None:  # noqa: ARG002
        self.make_output(line, 1)

    def make_output(self, line: int, level: int) -> None:
        before = self._remembered()
        latch = before | 1 << line if level else before & ~(1 << line)
        self._device.write_byte(latch)
        if latch != self._latch:
            self._latch = latch
            self._remember(latch)

    def _remembered(self) -> int:
        if self._latch is not None:
            return self._latch
        try:
            saved = int(self._file.read_text(), 16) & 0xFF if self._file else 0xFF
        except (OSError, ValueError):
            saved = 0xFF
        return saved | self._device.read_byte()

    def _remember(self, latch: int) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(f"{latch:02x}")
        except OSError as reason:
            log.warning("%s cannot be written: %s", self._file, reason.strerror)
