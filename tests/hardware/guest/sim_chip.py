"""A chip of the kernel's GPIO simulator, as the world outside sees its lines; for the guest only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

CONFIG = Path("/sys/kernel/config/gpio-sim")
DEVICES = Path("/sys/devices/platform")
DEADLINE = 5.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the kernel does within a tick or two."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


class SimChip:
    """One chip of gpio-sim, 54 lines named as a Pi's unless other names are given by offset."""

    def __init__(self, label: str, lines: int = 54, names: Mapping[int, str] | None = None) -> None:
        self.folder = CONFIG / label
        bank = self.folder / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text(str(lines))
        (bank / "label").write_text(label)
        names = {n: f"GPIO{n}" for n in range(min(lines, 28))} if names is None else names
        self.named = [bank / f"line{n}" for n in names]
        for line, name in zip(self.named, names.values(), strict=True):
            line.mkdir()
            (line / "name").write_text(name)
        (self.folder / "live").write_text("1")
        self.name = (bank / "chip_name").read_text().strip()
        self.sysfs = DEVICES / (self.folder / "dev_name").read_text().strip() / self.name

    def value(self, line: int) -> int:
        """The level of a line as the world outside sees it."""
        return int((self.sysfs / f"sim_gpio{line}" / "value").read_text())

    def pull(self, line: int, level: int) -> None:
        """Drive a line from outside."""
        (self.sysfs / f"sim_gpio{line}" / "pull").write_text("pull-up" if level else "pull-down")

    def values(self) -> dict[int, int]:
        """The levels of all lines that have a name."""
        return {n: self.value(n) for n in range(len(self.named))}

    def remove(self) -> None:
        """Take the chip away, if it is still there."""
        if not self.folder.exists():
            return
        (self.folder / "live").write_text("0")
        for line in self.named:
            line.rmdir()
        (self.folder / "bank0").rmdir()
        self.folder.rmdir()
