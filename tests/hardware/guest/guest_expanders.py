"""The drivers pcf8574 and mcp23017 through the kernel's own I2C: a PCF8574, and a register file for the other."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from piio_agent.interfaces import Context, Edge, Interface, InterfaceError
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.errors import ChannelBusy, ChannelClosed, ChannelUnknown, DeviceMissing, ValueRefused
from piio_agent.interfaces.i2c import I2cDevice
from tests.hardware.guest.hwsim import PARAMETERS, register_file, unplugged

DEADLINE = 5.0


def take(interface: Interface, channel: str, first: float | None = None, **settings: Any) -> None:
    direction: Any = "input" if first is None else "output"
    interface.open(channel, direction, settings_of(interface, settings), first)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def pcf(folder: Path) -> Iterator[Interface]:
    I2cDevice(1, 0x20).write_byte(0xFF)
    outside(0xFF)
    with make("pcf8574", {}, Context(folder=folder)) as interface:
        yield interface
    (PARAMETERS / "fail").write_text("0")


def outside(levels: int) -> None:
    """What the world makes of the PCF8574's lines; low wins."""
    (PARAMETERS / "pcf_in").write_text(str(levels))


def driven() -> int:
    """What the PCF8574 makes of them."""
    return int((PARAMETERS / "pcf_out").read_text())


def test_an_output_drives_its_line_and_no_other(pcf: Interface) -> None:
    take(pcf, "3", 0)
    assert (driven(), pcf.read("3")) == (0b1111_0111, 0)
    take(pcf, "0", 0)
    pcf.write("3", 1)
    assert (driven(), pcf.read("3"), pcf.read("0")) == (0b1111_1110, 1, 0)


def test_an_active_low_line_is_logical(pcf: Interface) -> None:
    take(pcf, "3", 1, active_low=True)
    take(pcf, "5", active_low=True)
    assert (driven(), pcf.read("3"), pcf.read("5")) == (0b1111_0111, 1, 0)
    outside(0b1101_1111)
    assert pcf.read("5") == 1


def test_an_input_reads_the_world_and_an_output_that_is_held_down_reads_what_is(pcf: Interface) -> None:
    take(pcf, "7")
    take(pcf, "0", 1)
    outside(0b0111_1110)
    assert (pcf.read("7"), pcf.read("0")) == (0, 0)
    outside(0xFF)
    assert (pcf.read("7"), pcf.read("0")) == (1, 1)


def test_a_restarted_agent_keeps_what_it_drove_and_lets_go_of_what_others_pull(pcf: Interface, folder: Path) -> None:
    take(pcf, "0", 0)
    outside(0b1011_1111)
    with make("pcf8574", {}, Context(folder=folder)) as again:
        take(again, "4", 0)
        assert driven() == 0b1110_1110
    # The chip had no power meanwhile: all lines are high, and nothing of what was counts.
    I2cDevice(1, 0x20).write_byte(0xFF)
    with make("pcf8574", {}, Context(folder=folder)) as again:
        take(again, "5", 0)
        assert driven() == 0b1101_1111


def test_its_interrupt_on_a_gpio_line_tells_what_changed(chip: Any, folder: Path) -> None:
    I2cDevice(1, 0x20).write_byte(0xFF)
    outside(0xFF)
    options = {"interrupt_line": "6", "interrupt_chip": "pinctrl-bcm2711"}
    edges: queue.SimpleQueue[tuple[str, Edge]] = queue.SimpleQueue()
    with make("pcf8574", options, Context()) as pcf:
        assert pcf.channels()["0"].edges
        for channel, active_low in (("1", False), ("2", True), ("3", False)):
            take(pcf, channel, active_low=active_low)
            pcf.watch(channel, lambda edge, channel=channel: edges.put((channel, edge)))  # type: ignore[misc]
        outside(0b1111_1001)
        chip.pull(6, 0)
        seen = dict(edges.get(timeout=DEADLINE) for _ in range(2))
        assert {channel: (edge.edge, edge.seq) for channel, edge in seen.items()} == {
            "1": ("falling", 1),
            "2": ("rising", 1),
        }
        chip.pull(6, 1)
        outside(0b1111_1011)
        chip.pull(6, 0)
        channel, edge = edges.get(timeout=DEADLINE)
        assert (channel, edge.edge, edge.seq) == ("1", "rising", 2)
        assert edges.empty()
    # Others may have the line now.
    with make("gpiod", {}, Context()) as gpio:
        take(gpio, "6")


def test_a_chip_that_does_not_answer_says_so_and_works_again_afterwards(pcf: Interface) -> None:
    take(pcf, "3", 0)
    (PARAMETERS / "fail").write_text("2")
    for act in (lambda: pcf.read("3"), lambda: pcf.write("3", 1), pcf.channels):
        with pytest.raises(InterfaceError, match=r"/dev/i2c-1 address 0x20 does not answer \(EREMOTEIO\): see to its"):
            act()
    (PARAMETERS / "fail").write_text("0")
    assert (driven(), pcf.read("3")) == (0b1111_0111, 0)


def test_what_is_not_there_names_itself_and_the_remedy(pcf: Interface) -> None:
    with pytest.raises(InterfaceError, match=r"/dev/i2c-1 address 0x27 does not answer \(ENXIO\)"):
        make("pcf8574", {"address": 0x27}, Context()).channels()
    with pytest.raises(DeviceMissing, match=r"/dev/i2c-7: there is no such bus: switch I2C on"):
        make("pcf8574", {"bus": 7}, Context()).channels()
    with pytest.raises(ChannelUnknown, match="there is no channel '8'"):
        take(pcf, "8")
    take(pcf, "3", 0)
    with pytest.raises(ValueRefused, match="pcf8574 P3 cannot take 2"):
        pcf.write("3", 2)
    pcf.close("3")
    with pytest.raises(ChannelClosed, match="pcf8574 P3 is not open"):
        pcf.read("3")


def test_a_chip_that_the_kernel_drives_is_busy(pcf: Interface) -> None:
    device = Path("/sys/bus/i2c/devices/i2c-1")
    (device / "new_device").write_text("ads1115 0x48")
    try:
        with pytest.raises(ChannelBusy, match="address 0x48 is held by 'a driver of the kernel'"):
            make("pcf8574", {"address": 0x48}, Context()).channels()
    finally:
        (device / "delete_device").write_text("0x48")


def test_a_bus_that_goes_is_missed_and_used_again_when_it_is_back(pcf: Interface) -> None:
    take(pcf, "3", 0)
    with unplugged(), pytest.raises(DeviceMissing, match="/dev/i2c-1: there is no such bus"):
        pcf.read("3")
    take(pcf, "3", 0)
    assert driven() & 0b1000 == 0


@pytest.fixture
def registers() -> Iterator[I2cDevice]:
    """Registers as an MCP23017 has them after power-on; they do nothing but keep what is written."""
    with register_file(0x21) as device:
        for register in (0x00, 0x01):
            device.write_register(register, 0xFF)
        yield device


@pytest.fixture
def mcp(registers: I2cDevice) -> Iterator[Interface]:
    bus = int(registers.path.removeprefix("/dev/i2c-"))
    with make("mcp23017", {"bus": bus, "address": 0x21}, Context()) as interface:
        yield interface


def test_an_mcp23017s_output_has_its_level_before_it_is_one(mcp: Interface, registers: I2cDevice) -> None:
    registers.write_register(0x14, 0b1000_0000)
    take(mcp, "3", 1)
    assert (registers.read_register(0x14), registers.read_register(0x00)) == (0b1000_1000, 0b1111_0111)
    take(mcp, "15", 1, active_low=True)
    assert (registers.read_register(0x15), registers.read_register(0x01)) == (0, 0b0111_1111)
    mcp.write("15", 0)
    assert registers.read_register(0x15) == 0b1000_0000


def test_an_mcp23017s_input_reads_its_port_and_has_a_resistor(mcp: Interface, registers: I2cDevice) -> None:
    take(mcp, "9", bias="pull-up")
    take(mcp, "8", active_low=True)
    assert registers.read_register(0x0D) == 0b10
    registers.write_register(0x13, 0b11)
    assert (mcp.read("9"), mcp.read("8")) == (1, 0)
    take(mcp, "9", bias="disabled")
    assert registers.read_register(0x0D) == 0
    assert [channel.label for channel in mcp.channels().values()][7:10] == ["GPA7", "GPB0", "GPB1"]


def test_an_mcp23017s_interrupt_is_asked_for_and_tells_what_changed(chip: Any, registers: I2cDevice) -> None:
    bus = int(registers.path.removeprefix("/dev/i2c-"))
    options = {"bus": bus, "address": 0x21, "interrupt_line": "6", "interrupt_chip": "pinctrl-bcm2711"}
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    with make("mcp23017", options, Context()) as mcp:
        take(mcp, "9")
        mcp.watch("9", edges.put)
        assert (registers.read_register(0x05), registers.read_register(0x0A)) == (0b10, 0x44)
        registers.write_register(0x13, 0b10)
        chip.pull(6, 0)
        assert edges.get(timeout=DEADLINE).edge == "rising"
