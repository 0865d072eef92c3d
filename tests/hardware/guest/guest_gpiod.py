"""The driver gpiod against the kernel's own GPIO character device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gpiod
import pytest

from piio_agent.interfaces import Context, Interface
from piio_agent.interfaces.door import make
from piio_agent.interfaces.errors import (
    ChannelBusy,
    ChannelClosed,
    ChannelUnknown,
    DeviceMissing,
    InterfaceError,
    PermissionDenied,
    SettingsError,
    ValueRefused,
)
from tests.hardware.guest.lines import DEADLINE, descriptors, held_by_a_pump_daemon, take, watched
from tests.hardware.guest.sim_chip import until


def test_a_pis_chip_is_found_by_its_label_and_its_lines_have_pins(gpio: Interface) -> None:
    channels = gpio.channels()
    assert list(channels)[:54] == [str(n) for n in range(54)]
    assert channels["17"].label == "GPIO17 (pin 11)"
    assert channels["40"].label == "line 40"


def test_a_line_is_named_by_its_name_as_well_as_by_its_offset(gpio: Interface, chip: Any) -> None:
    channels = gpio.channels()
    assert list(channels)[54:] == [f"GPIO{n}" for n in range(28)]
    assert channels["GPIO17"].label == "GPIO17: the same line as 17"
    take(gpio, "GPIO17", "output", first=1)
    assert (chip.value(17), gpio.read("GPIO17")) == (1, 1)


@pytest.mark.parametrize(("first", "second"), [("17", "GPIO17"), ("GPIO17", "17")])
def test_one_line_by_two_ids_is_an_error_that_names_both(gpio: Interface, chip: Any, first: str, second: str) -> None:
    take(gpio, first, "output", first=1)
    answer = f"GPIO17 is in use as channel '{first}', which is the same line: name one of them everywhere"
    with pytest.raises(ChannelBusy) as raised:
        take(gpio, second)
    assert str(raised.value) == answer
    # In another process, too: the kernel tells who has it.
    with make("gpiod", {}, Context()) as another, pytest.raises(ChannelBusy, match="in use as channel"):
        take(another, second)
    gpio.close(first)
    take(gpio, second, "output", first=0)
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
                "DI-4: the same line as 4",
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


@pytest.mark.parametrize(
    ("bias", "level", "asked"),
    [("pull-up", 1, "PULL_UP"), ("pull-down", 0, "PULL_DOWN"), ("disabled", 1, "DISABLED"), ("as-is", 1, "UNKNOWN")],
)
def test_a_bias_pulls_the_line_or_leaves_it_to_the_world(
    gpio: Interface, chip: Any, bias: str, level: int, asked: str
) -> None:
    chip.pull(5, 1 if bias != "pull-up" else 0)
    take(gpio, "5", bias=bias)
    assert (gpio.read("5"), chip.value(5)) == (level, level)
    assert info(chip, 5).bias.name == asked


@pytest.mark.parametrize("world", [0, 1])
@pytest.mark.parametrize("raw", [0, 1])
@pytest.mark.parametrize(("drive", "lets_go_at"), [("push-pull", None), ("open-drain", 1), ("open-source", 0)])
def test_an_output_drives_as_it_is_told_or_lets_go_of_the_line(
    gpio: Interface, chip: Any, drive: str, lets_go_at: int | None, raw: int, world: int
) -> None:
    chip.pull(17, world)
    take(gpio, "17", "output", first=raw, drive=drive)
    level = world if raw == lets_go_at else raw
    assert (chip.value(17), gpio.read("17")) == (level, level)
    assert info(chip, 17).drive.name == drive.upper().replace("-", "_")


def test_a_busy_line_names_its_holder(gpio: Interface, chip: Any) -> None:
    with held_by_a_pump_daemon(chip, 17), pytest.raises(ChannelBusy, match="GPIO17 is held by 'pump-daemon'"):
        take(gpio, "17", "output", first=0)
    take(gpio, "17", "output", first=0)


def test_others_see_which_channel_a_line_is_until_we_let_go(gpio: Interface, chip: Any) -> None:
    take(gpio, "17", "output", first=0)
    assert info(chip, 17).consumer == "piio 17"
    gpio.close("17")
    gpio.close("17")
    assert not info(chip, 17).used
    with pytest.raises(ChannelClosed, match="GPIO17 is not open"):
        gpio.read("17")


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"pull": "up"}, "setting 'pull' is unknown; there are: active_low, bias, drive, debounce_period"),
        ({"bias": "up"}, "setting 'bias' is 'up'; wanted one of 'as-is', 'disabled', 'pull-down', 'pull-up'"),
        ({"drive": 1}, "setting 'drive' is 1; wanted one of 'open-drain', 'open-source', 'push-pull'"),
        ({"debounce_period": -1}, "setting 'debounce_period' is -1; wanted number >= 0 and <= 60"),
        ({"active_low": "yes"}, "setting 'active_low' is 'yes'; wanted boolean"),
    ],
)
def test_a_setting_that_there_is_not_is_answered_with_those_that_there_are(
    gpio: Interface, chip: Any, settings: Any, answer: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        take(gpio, "5", **settings)
    assert str(raised.value) == answer
    assert not info(chip, 5).used


def test_a_chip_that_this_user_may_not_open_names_the_remedy(chip: Any) -> None:
    remedy = f"/dev/{chip.name}: permission denied: add this user to the group gpio: sudo usermod"
    gpio = make("gpiod", {"chip": "pinctrl-bcm2711"}, Context())
    others = [path for path in Path("/dev").glob("gpiochip*") if path.name != chip.name]
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionDenied, match="permission denied: add this user to the group gpio"):
            gpio.channels()
        with as_root():
            for path in others:
                path.chmod(0o666)
        # It does not say its label to whom it is closed.
        with pytest.raises(DeviceMissing, match=rf"there are: gpiochip\d+ \(another-chip\), .*{remedy}"):
            gpio.channels()
    finally:
        os.seteuid(0)
    assert gpio.channels()


@contextmanager
def as_root() -> Iterator[None]:
    os.seteuid(0)
    yield
    os.seteuid(65534)


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


def info(chip: Any, line: int) -> Any:
    """What the kernel tells everybody about a line."""
    with gpiod.Chip(f"/dev/{chip.name}") as handle:
        return handle.get_line_info(line)
