"""A chip that is unplugged under the driver gpiod, and is plugged in again, by another number perhaps."""

from __future__ import annotations

import time
from typing import Any

import pytest

from piio_agent.interfaces import Context, Interface
from piio_agent.interfaces.door import make
from piio_agent.interfaces.errors import DeviceFailed, InterfaceError
from tests.hardware.guest.lines import DEADLINE, take, watched


def test_a_chip_that_disappears_gives_its_reason_and_no_busy_thread(gpio: Interface, chip: Any) -> None:
    take(gpio, "5")
    take(gpio, "17", "output", first=1)
    watched(gpio, "5")
    chip.remove()
    with pytest.raises(DeviceFailed, match=r"GPIO5: reading failed: No such device \(ENODEV\)"):
        gpio.read("5")
    with pytest.raises(DeviceFailed, match=r"GPIO17: writing failed: No such device \(ENODEV\)"):
        gpio.write("17", 0)
    with pytest.raises(DeviceFailed, match=r"GPIO5: waiting for edges failed: No such device \(ENODEV\)"):
        gpio.watch("5", print)
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
