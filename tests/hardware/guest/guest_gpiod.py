"""The driver gpiod against the kernel's own GPIO character device."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from piio_agent.interfaces import Context, Edge, Interface
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.errors import (
    ChannelBusy,
    ChannelClosed,
    ChannelUnknown,
    DeviceFailed,
    DeviceMissing,
    InterfaceError,
    PermissionDenied,
    ValueRefused,
)

DEADLINE = 5.0

HOLD = """
import gpiod, sys
settings = gpiod.LineSettings(direction=gpiod.line.Direction.INPUT)
with gpiod.request_lines(sys.argv[1], consumer="pump-daemon", config={17: settings}):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def gpio(chip: Any) -> Iterator[Interface]:
    with make("gpiod", {}, Context()) as interface:
        yield interface


def take(gpio: Interface, channel: str, direction: Any = "input", first: float | None = None, **settings: Any) -> None:
    gpio.open(channel, direction, settings_of(gpio, settings), first)


def watched(gpio: Interface, channel: str) -> queue.SimpleQueue[Edge]:
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    gpio.watch(channel, edges.put)
    return edges


def test_a_pis_chip_is_found_by_its_label_and_its_lines_have_pins(gpio: Interface) -> None:
    channels = gpio.channels()
    assert list(channels)[:54] == [str(n) for n in range(54)]
    assert channels["17"].label == "GPIO17 (pin 11)"
    assert channels["40"].label == "line 40"


def test_a_line_is_named_by_its_name_as_well_as_by_its_offset(gpio: Interface, chip: Any) -> None:
    assert list(gpio.channels())[54:] == [f"GPIO{n}" for n in range(28)]
    take(gpio, "GPIO17", "output", first=1)
    assert (chip.value(17), gpio.read("GPIO17")) == (1, 1)
    with pytest.raises(ChannelBusy, match="GPIO17 is held by 'piio'"):
        take(gpio, "17")
    gpio.close("GPIO17")
    take(gpio, "17", "output", first=0)
    assert chip.value(17) == 0


def test_names_that_are_not_clear_or_no_part_of_a_topic_are_no_channels(chip: Any) -> None:
    names = {0: "LED", 1: "LED", 2: "3", 3: "relay 1", 4: "DI-4"}
    odd = type(chip)("odd", 6, names)
    try:
        with make("gpiod", {"chip": "odd"}, Context()) as gpio:
            assert list(gpio.channels()) == ["0", "1", "2", "3", "4", "5", "DI-4"]
            assert [each.label for each in gpio.channels().values()][2:] == [
                "3",
                "relay 1",
                "DI-4",
                "line 5",
                "DI-4 (line 4)",
            ]
            take(gpio, "3", "output", first=1)
            assert odd.value(3) == 1
    finally:
        odd.remove()


@pytest.mark.parametrize("how", ["label", "name", "path"])
def test_a_chip_is_named_by_label_name_or_path(chip: Any, how: str) -> None:
    wanted = {"label": "pinctrl-bcm2711", "name": chip.name, "path": f"/dev/{chip.name}"}[how]
    with make("gpiod", {"chip": wanted}, Context()) as gpio:
        take(gpio, "17", "output", first=1)
        assert chip.value(17) == 1


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        ("pinctrl-rp1", r"'pinctrl-rp1'; there are: gpiochip\d+ \(another-chip\), gpiochip\d+ \(pinctrl-bcm2711\)"),
        ("/dev/gpiochip99", r"/dev/gpiochip99: there is no such GPIO chip"),
        ("/dev/null", r"/dev/null is not a GPIO chip"),
    ],
)
def test_a_chip_that_is_not_there_is_missed_with_those_that_are(chip: Any, wanted: str, answer: str) -> None:
    with make("gpiod", {"chip": wanted}, Context()) as gpio, pytest.raises(DeviceMissing, match=answer):
        gpio.channels()


def test_an_output_drives_the_line_and_reads_it_back(gpio: Interface, chip: Any) -> None:
    take(gpio, "17", "output", first=1)
    assert (chip.value(17), gpio.read("17")) == (1, 1)
    gpio.write("17", 0)
    assert (chip.value(17), gpio.read("17")) == (0, 0)


def test_an_active_low_output_that_is_off_is_high(gpio: Interface, chip: Any) -> None:
    take(gpio, "17", "output", first=0, active_low=True)
    assert (chip.value(17), gpio.read("17")) == (1, 0)
    gpio.write("17", 1)
    assert (chip.value(17), gpio.read("17")) == (0, 1)


def test_an_output_is_reconfigured_without_letting_go_of_it(gpio: Interface, chip: Any) -> None:
    take(gpio, "17", "output", first=1)
    take(gpio, "17", "output", first=0, active_low=True)
    assert (chip.value(17), gpio.read("17")) == (1, 0)
    take(gpio, "17", "input")
    chip.pull(17, 1)
    assert gpio.read("17") == 1
    chip.pull(17, 0)
    assert gpio.read("17") == 0
    with pytest.raises(ChannelClosed, match="GPIO17 is not open as an output"):
        gpio.write("17", 1)


def test_an_input_reads_what_the_world_makes_of_it(gpio: Interface, chip: Any) -> None:
    chip.pull(5, 1)
    take(gpio, "5")
    take(gpio, "6", active_low=True)
    assert (gpio.read("5"), gpio.read("6")) == (1, 1)
    chip.pull(5, 0)
    assert gpio.read("5") == 0


def test_a_bias_pulls_the_line(gpio: Interface) -> None:
    take(gpio, "5", bias="pull-up")
    take(gpio, "6", bias="pull-down")
    assert (gpio.read("5"), gpio.read("6")) == (1, 0)


def test_edges_come_in_order_with_the_kernels_time(gpio: Interface, chip: Any) -> None:
    take(gpio, "5")
    edges = watched(gpio, "5")
    seen = []
    started, unix = time.monotonic_ns(), time.time_ns()
    for n in range(6):
        chip.pull(5, (n + 1) % 2)
        seen.append(edges.get(timeout=DEADLINE))
    assert [edge.edge for edge in seen] == ["rising", "falling"] * 3
    assert [(edge.seq, edge.lost) for edge in seen] == [(n, 0) for n in range(1, 7)]
    stamps = [started, *(edge.mono_ns for edge in seen), time.monotonic_ns()]
    assert stamps == sorted(stamps)
    assert all(abs((edge.t_ns - unix) - (edge.mono_ns - started)) < 50_000_000 for edge in seen)


def test_an_edge_of_an_active_low_input_is_logical(gpio: Interface, chip: Any) -> None:
    take(gpio, "5", active_low=True)
    edges = watched(gpio, "5")
    chip.pull(5, 1)
    assert edges.get(timeout=DEADLINE).edge == "falling"


def test_many_lines_are_watched_at_once_and_a_watcher_may_write(gpio: Interface, chip: Any) -> None:
    take(gpio, "17", "output", first=0)
    for n in (5, 6):
        take(gpio, str(n))
    gpio.watch("5", lambda edge: gpio.write("17", edge.raw))
    edges = watched(gpio, "6")
    chip.pull(5, 1)
    until_value(chip, 17, 1)
    chip.pull(6, 1)
    assert edges.get(timeout=DEADLINE).edge == "rising"


def test_a_burst_says_how_many_edges_were_lost_and_ends_at_the_level_of_the_line(
    gpio: Interface, chip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the kernel keeps is made small, lest the burst takes seconds.
    monkeypatch.setattr("piio_agent.interfaces.gpiod.EVENTS", 16)
    take(gpio, "5")
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    first, go_on = queue.SimpleQueue[Edge](), queue.SimpleQueue[None]()

    def slow(edge: Edge) -> None:
        if edge.seq == 1:
            first.put(edge)
            go_on.get(timeout=30)
        edges.put(edge)

    gpio.watch("5", slow)
    chip.pull(5, 1)
    first.get(timeout=DEADLINE)
    # More than the kernel keeps while the watcher is busy, ticks apart so that none coalesce.
    for n in range(41):
        chip.pull(5, n % 2)
        time.sleep(0.005)
    go_on.put(None)
    seen = [edges.get(timeout=DEADLINE) for _ in range(1 + 16)]
    assert (seen[-1].seq, sum(edge.lost for edge in seen)) == (42, 42 - 17)
    assert seen[-1].raw == gpio.read("5") == 0
    assert edges.empty()


def test_debouncing_swallows_a_short_pulse(gpio: Interface, chip: Any) -> None:
    take(gpio, "5", debounce_period=0.1)
    edges = watched(gpio, "5")
    chip.pull(5, 1)
    time.sleep(0.01)
    chip.pull(5, 0)
    time.sleep(0.01)
    chip.pull(5, 1)
    edge = edges.get(timeout=DEADLINE)
    assert (edge.edge, edge.seq, gpio.read("5")) == ("rising", 1, 1)
    assert edges.empty()


def test_a_busy_line_names_its_holder(gpio: Interface, chip: Any) -> None:
    command = [sys.executable, "-c", HOLD, f"/dev/{chip.name}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ChannelBusy, match="GPIO17 is held by 'pump-daemon'"):
            take(gpio, "17", "output", first=0)
        holder.communicate()
    take(gpio, "17", "output", first=0)


def test_others_see_that_a_line_is_ours_until_we_let_go(gpio: Interface, chip: Any) -> None:
    import gpiod

    take(gpio, "17", "output", first=0)
    with gpiod.Chip(f"/dev/{chip.name}") as handle:
        assert handle.get_line_info(17).consumer == "piio"
        gpio.close("17")
        gpio.close("17")
        assert not handle.get_line_info(17).used
    with pytest.raises(ChannelClosed, match="GPIO17 is not open"):
        gpio.read("17")


def test_a_watched_line_is_free_the_moment_it_is_closed(gpio: Interface, chip: Any) -> None:
    import gpiod

    with gpiod.Chip(f"/dev/{chip.name}") as handle:
        for _ in range(20):
            take(gpio, "5")
            take(gpio, "6")
            edges = watched(gpio, "5")
            watched(gpio, "6")
            chip.pull(5, 1)
            edges.get(timeout=DEADLINE)
            chip.pull(5, 0)
            edges.get(timeout=DEADLINE)
            gpio.close("5")
            assert not handle.get_line_info(5).used
            gpio.close("6")


def test_a_chip_that_this_user_may_not_open_names_the_remedy(chip: Any) -> None:
    gpio = make("gpiod", {"chip": chip.name}, Context())
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionDenied, match="permission denied: add this user to the group gpio: sudo usermod"):
            gpio.channels()
    finally:
        os.seteuid(0)
    assert gpio.channels()


def test_a_chip_that_disappears_gives_its_reason_and_no_busy_thread(gpio: Interface, chip: Any) -> None:
    take(gpio, "5")
    take(gpio, "17", "output", first=1)
    watched(gpio, "5")
    chip.remove()
    with pytest.raises(DeviceFailed, match=r"GPIO5: reading failed: No such device \(ENODEV\)"):
        gpio.read("5")
    with pytest.raises(DeviceFailed, match=r"GPIO17: writing failed: No such device \(ENODEV\)"):
        gpio.write("17", 0)
    busy = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - busy < 0.1
    with pytest.raises(InterfaceError):
        take(gpio, "6")


def test_a_chip_that_is_back_by_another_number_is_found_again(gpio: Interface, chip: Any) -> None:
    take(gpio, "5")
    gpio.close("5")
    chip.remove()
    between, back = type(chip)("between", 4), type(chip)("pinctrl-bcm2711")
    try:
        assert back.name != chip.name
        take(gpio, "17", "output", first=1)
        assert back.value(17) == 1
        gpio.shut()
    finally:
        back.remove()
        between.remove()


def test_lines_that_we_hold_are_taken_again_when_their_chip_is_back_by_another_number(chip: Any) -> None:
    gpio = make("gpiod", {"chip": "pinctrl-bcm2711"}, Context())
    take(gpio, "17", "output", first=1)
    take(gpio, "5")
    watched(gpio, "5")
    chip.remove()
    for channel in ("17", "5", "17"):
        with pytest.raises(
            InterfaceError, match=r"no GPIO chip is called 'pinctrl-bcm2711'; there are: .*another-chip"
        ):
            take(gpio, channel)
    between, back = type(chip)("between", 4), type(chip)("pinctrl-bcm2711")
    try:
        take(gpio, "17", "output", first=1)
        take(gpio, "5")
        edges = watched(gpio, "5")
        back.pull(5, 1)
        assert edges.get(timeout=DEADLINE).edge == "rising"
        assert back.value(17) == 1
        gpio.shut()
    finally:
        back.remove()
        between.remove()


def test_what_a_line_cannot_take_is_refused(gpio: Interface, chip: Any) -> None:
    take(gpio, "17", "output", first=1)
    with pytest.raises(ValueRefused, match="GPIO17 cannot take 2"):
        gpio.write("17", 2)
    with pytest.raises(InterfaceError, match="needs its first value"):
        take(gpio, "18", "output")
    with pytest.raises(ChannelUnknown, match="there is no channel '54'"):
        take(gpio, "54")
    assert chip.value(17) == 1


def test_shutting_leaves_no_line_no_thread_and_no_descriptor(chip: Any) -> None:
    before = descriptors()
    gpio = make("gpiod", {}, Context())
    for n in (5, 6):
        take(gpio, str(n))
        watched(gpio, str(n))
    gpio.shut()
    gpio.shut()
    until(lambda: descriptors() <= before)
    take(gpio, "5")
    edges = watched(gpio, "5")
    chip.pull(5, 1)
    assert edges.get(timeout=DEADLINE).edge == "rising"
    gpio.shut()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def until(condition: Any) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def until_value(chip: Any, line: int, value: int) -> None:
    until(lambda: chip.value(line) == value)
