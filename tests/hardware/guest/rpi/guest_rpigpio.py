"""The driver rpigpio with rpi-lgpio, on the kernel's own GPIO character device."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import gpiod
import pytest

from piio_agent.interfaces import Context, Edge, Interface, InterfaceError
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.errors import ChannelBusy, ChannelClosed, ChannelUnknown, NotSupported, ValueRefused
from tests.hardware.guest.sim_chip import SimChip

DEADLINE = 5.0


@pytest.fixture(scope="module")
def pi() -> Iterator[SimChip]:
    """One chip for all: the library opens it once for the whole process."""
    assert os.uname().nodename == "hwlab", "this runs in the guest only"
    chip = SimChip("pinctrl-bcm2711")
    os.environ["RPI_LGPIO_CHIP"] = chip.name.removeprefix("gpiochip")
    yield chip
    chip.remove()


@pytest.fixture
def gpio(pi: SimChip, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interface]:
    with make("rpigpio", {}, Context(folder=tmp_path_factory.getbasetemp() / "lgpio")) as interface:
        yield interface


def take(gpio: Interface, channel: str, first: float | None = None, **settings: Any) -> None:
    direction: Any = "input" if first is None else "output"
    gpio.open(channel, direction, settings_of(gpio, settings), first)


def test_an_output_begins_with_its_first_value_and_is_read_back(gpio: Interface, pi: SimChip) -> None:
    take(gpio, "17", 1)
    assert (pi.value(17), gpio.read("17")) == (1, 1)
    gpio.write("17", 0)
    assert (pi.value(17), gpio.read("17")) == (0, 0)
    take(gpio, "17", 0, active_low=True)
    assert (pi.value(17), gpio.read("17")) == (1, 0)


def test_an_input_has_its_resistor_and_reads_the_world(gpio: Interface, pi: SimChip) -> None:
    take(gpio, "5", bias="pull-up")
    take(gpio, "6", bias="pull-down", active_low=True)
    assert (gpio.read("5"), gpio.read("6")) == (1, 1)
    pi.pull(5, 0)
    assert gpio.read("5") == 0


def test_edges_come_in_order_and_are_logical(gpio: Interface, pi: SimChip) -> None:
    pi.pull(7, 0)
    take(gpio, "7", active_low=True)
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    gpio.watch("7", edges.put)
    seen = []
    for n in range(4):
        pi.pull(7, (n + 1) % 2)
        seen.append(edges.get(timeout=DEADLINE))
    assert [edge.edge for edge in seen] == ["falling", "rising"] * 2
    assert [(edge.seq, edge.lost) for edge in seen] == [(n, 0) for n in range(1, 5)]
    gpio.close("7")
    pi.pull(7, 1)
    assert edges.empty()


def test_software_pwm_is_on_for_its_part_of_the_time(gpio: Interface, pi: SimChip) -> None:
    take(gpio, "18-pwm", 0.75, frequency=50)
    levels = []
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        levels.append(pi.value(18))
        time.sleep(0.001)
    assert 0.6 < sum(levels) / len(levels) < 0.9
    assert sum(a != b for a, b in pairwise(levels)) > 20
    gpio.write("18-pwm", 1)
    end = time.monotonic() + DEADLINE
    while not all(steady(pi, 18)):
        assert time.monotonic() < end, "it is not always on"
    with pytest.raises(NotSupported, match="PWM on GPIO18 cannot be read back"):
        gpio.read("18-pwm")
    with pytest.raises(InterfaceError, match="GPIO18 is open as another channel"):
        take(gpio, "18", 0)
    gpio.close("18-pwm")
    assert not any(steady(pi, 18))


def steady(pi: SimChip, line: int) -> list[int]:
    """A line's levels during two periods of 20 ms."""
    found = []
    for _ in range(40):
        found.append(pi.value(line))
        time.sleep(0.001)
    return found


def test_an_output_that_is_let_go_stays_one_and_is_free(gpio: Interface, pi: SimChip) -> None:
    take(gpio, "17", 1)
    gpio.close("17")
    gpio.close("17")
    with gpiod.Chip(f"/dev/{pi.name}") as handle:
        info = handle.get_line_info(17)
        assert (info.used, info.direction) == (False, gpiod.line.Direction.OUTPUT)
    with pytest.raises(ChannelClosed, match="GPIO17 is not open"):
        gpio.write("17", 0)


def test_a_busy_line_and_what_a_line_cannot_take_are_told(gpio: Interface, pi: SimChip) -> None:
    with gpiod.request_lines(f"/dev/{pi.name}", consumer="pump-daemon", config={19: None}):
        for first in (0, None):
            with pytest.raises(ChannelBusy, match=r"GPIO19 \(pin 35\) is held by 'another program'"):
                take(gpio, "19", first)
    take(gpio, "19", 0)
    with pytest.raises(ValueRefused, match=r"GPIO19 \(pin 35\) cannot take 0\.5: it takes 0 or 1"):
        gpio.write("19", 0.5)
    with pytest.raises(ChannelUnknown, match="there is no channel '28'"):
        take(gpio, "28")


def test_nothing_is_left_in_the_working_directory(gpio: Interface) -> None:
    gpio.channels()
    assert Path.cwd() == Path(__file__).parents[4]
    assert not list(Path.cwd().glob(".lgd-*"))
