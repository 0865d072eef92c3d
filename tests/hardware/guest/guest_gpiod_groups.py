"""Lines of the driver gpiod that are one number, by one request."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gpiod
import pytest

from piio_agent.interfaces import Context, Interface
from piio_agent.interfaces.door import make
from piio_agent.interfaces.errors import ChannelBusy, InterfaceError, NotSupported, OptionsError, ValueRefused
from tests.hardware.guest.lines import held_by_a_pump_daemon, take

LINES = (5, 6, 13, 19)

# Asks the kernel for the four lines of a request in one call, again and again, until it is told to stop.
LOOK = """
import fcntl, select, struct, sys
GET_VALUES, seen = 0xC010B40E, set()
print("looking", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for _ in range(100):
        seen.add(struct.unpack("QQ", fcntl.ioctl(int(sys.argv[1]), GET_VALUES, struct.pack("QQ", 0, 15)))[0])
print(*sorted(seen))
"""


@pytest.fixture
def gpio(chip: Any) -> Iterator[Interface]:
    with make("gpiod", {"groups": {"port": [5, "GPIO6", "13", 19]}}, Context()) as interface:
        yield interface


def levels(chip: Any) -> list[int]:
    return [chip.value(line) for line in LINES]


def test_a_group_is_a_channel_of_whole_numbers_in_place_of_its_lines(gpio: Interface) -> None:
    channels = gpio.channels()
    port = channels["port"]
    assert (port.label, port.kind, port.low, port.high) == ("port: GPIO5, GPIO6, GPIO13, GPIO19", "analog", 0, 15)
    assert not channels.keys() & {"5", "GPIO5", "6", "GPIO6", "13", "19"}
    assert {"4", "GPIO4", "7"} <= channels.keys()


def test_a_group_of_outputs_is_written_and_read_as_one_number_the_first_line_is_its_lowest_bit(
    gpio: Interface, chip: Any
) -> None:
    take(gpio, "port", "output", first=9)
    assert (levels(chip), gpio.read("port")) == ([1, 0, 0, 1], 9)
    for number in (6, 15, 0, 1, 8):
        gpio.write("port", number)
        assert levels(chip) == [number >> bit & 1 for bit in range(4)]
        assert gpio.read("port") == number


def test_all_lines_of_a_group_switch_at_the_same_moment(gpio: Interface) -> None:
    take(gpio, "port", "output", first=0)
    descriptors = [fd for fd in Path("/proc/self/fd").iterdir() if fd.exists()]
    (request,) = (int(fd.name) for fd in descriptors if "gpio-line" in str(fd.readlink()))
    command = [sys.executable, "-c", LOOK, str(request)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[request]
    ) as looker:
        assert looker.stdout
        assert looker.stdout.readline() == "looking\n"
        end = time.monotonic() + 1
        while time.monotonic() < end:
            gpio.write("port", 15)
            gpio.write("port", 0)
        assert looker.communicate("stop")[0] == "0 15\n"


def test_settings_hold_for_all_lines_of_a_group(gpio: Interface, chip: Any) -> None:
    take(gpio, "port", "output", first=3, active_low=True)
    assert (levels(chip), gpio.read("port")) == ([0, 0, 1, 1], 3)
    take(gpio, "port", "input", bias="pull-up", debounce_period=0.01)
    assert gpio.read("port") == 15
    with gpiod.Chip(f"/dev/{chip.name}") as handle:
        for line in LINES:
            info = handle.get_line_info(line)
            assert (info.consumer, info.bias.name, info.debounced) == ("piio port", "PULL_UP", True)


def test_a_group_of_inputs_reads_the_world_and_is_polled(gpio: Interface, chip: Any) -> None:
    for line, level in zip(LINES, (0, 1, 1, 0), strict=True):
        chip.pull(line, level)
    take(gpio, "port")
    assert gpio.read("port") == 6
    chip.pull(19, 1)
    assert gpio.read("port") == 14
    assert not gpio.channels()["port"].edges
    with pytest.raises(NotSupported, match="the group port reports no edges: it is several lines"):
        gpio.watch("port", print)


@pytest.mark.parametrize("raw", [16, -1, 2.5, float("nan")])
def test_a_number_that_the_lines_cannot_make_up_is_refused(gpio: Interface, chip: Any, raw: float) -> None:
    take(gpio, "port", "output", first=5)
    with pytest.raises(ValueRefused, match=r"the group port cannot take .*: it takes whole numbers from 0 to 15"):
        gpio.write("port", raw)
    with pytest.raises(ValueRefused):
        take(gpio, "port", "output", first=raw)
    assert (levels(chip), gpio.read("port")) == ([1, 0, 1, 0], 5)


def test_one_busy_line_keeps_all_of_a_group_as_they_are_and_is_named_with_its_holder(
    gpio: Interface, chip: Any
) -> None:
    with held_by_a_pump_daemon(chip, 13), pytest.raises(ChannelBusy, match=r"^GPIO13 is held by 'pump-daemon'"):
        take(gpio, "port", "output", first=15)
    assert levels(chip) == [0, 0, 0, 0]
    take(gpio, "port", "output", first=15)
    assert levels(chip) == [1, 1, 1, 1]


@pytest.mark.parametrize("channel", ["13", "GPIO13"])
def test_a_line_in_a_group_is_no_channel_of_its_own(gpio: Interface, channel: str) -> None:
    answer = "GPIO13 is in the group 'port': use that channel, or take it out of groups in agent.toml"
    with pytest.raises(InterfaceError, match=answer):
        take(gpio, channel)


@pytest.mark.parametrize(
    ("groups", "answer"),
    [
        ([5, 6], r"option 'groups' is \[5, 6\]; wanted names with lines, e.g. groups = { port = \[5, 6, 13, 19\] }"),
        ({"port": "5, 6"}, "'port' is '5, 6'; wanted lines by offset or name"),
        ({"port": [5, 6.5]}, r"'port' is \[5, 6.5\]; wanted lines by offset or name"),
        ({"port": [5]}, "'port' has 1 lines; wanted 2 to 28"),
        ({"port 1": [5, 6]}, "'port 1' is no name of a channel"),
        ({"17": [5, 6]}, "'17' is what a line of .* is called"),
        (
            {"port": [5, "DI-9"]},
            r"'port' has 'DI-9', which .* \(pinctrl-bcm2711\) has not; its lines are: 0, 1",
        ),
        ({"port": [5, 54]}, "'port' has '54', which .* has not"),
        ({"port": [5, "GPIO5"]}, "a line is in two groups, or twice in one"),
        ({"port": [5, 6], "bus": [6, 7]}, "a line is in two groups, or twice in one"),
    ],
)
def test_a_group_that_cannot_be_is_refused_with_the_reason(chip: Any, groups: Any, answer: str) -> None:
    with pytest.raises(OptionsError, match=answer):
        make("gpiod", {"groups": groups}, Context()).channels()
