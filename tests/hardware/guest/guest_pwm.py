"""The driver pwm against the kernel's own PWM, as debugfs shows what its chip was told."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from piio_agent.interfaces import Context, Interface
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.errors import (
    ChannelClosed,
    ChannelUnknown,
    DeviceMissing,
    InterfaceError,
    NotSupported,
    PermissionDenied,
    SettingsError,
    ValueRefused,
)
from tests.hardware.guest.hwsim import unplugged

CHIP = Path("/sys/class/pwm/pwmchip0")


@pytest.fixture
def pwm() -> Iterator[Interface]:
    with make("pwm", {}, Context()) as interface:
        yield interface
        for n in range(4):
            if str(n) in interface._outputs:  # type: ignore[attr-defined]
                interface.write(str(n), 0)


def take(pwm: Interface, channel: str, first: float, **settings: object) -> None:
    pwm.open(channel, "output", settings_of(pwm, settings), first)


def hardware(n: int) -> tuple[bool, int, int, str]:
    """Whether an output runs, its period and duty in ns, and its polarity, as the chip was told."""
    line = next(line for line in Path("/sys/kernel/debug/pwm").read_text().splitlines() if f"pwm-{n} " in line)
    found = re.search(r"period: (\d+) ns duty: (\d+) ns polarity: (\w+)", line)
    assert found
    return "enabled" in line, int(found[1]), int(found[2]), found[3]


def test_an_output_begins_with_its_first_duty_cycle_and_tells_what_it_really_has(pwm: Interface) -> None:
    take(pwm, "0", 0.25, frequency=50)
    assert hardware(0) == (True, 20_000_000, 5_000_000, "normal")
    pwm.write("0", 0.075)
    assert hardware(0) == (True, 20_000_000, 1_500_000, "normal")
    assert pwm.read("0") == 0.075
    pwm.open("0-frequency", "input", settings_of(pwm, {}))
    assert pwm.read("0-frequency") == 50


def test_what_the_kernel_has_is_told_rather_than_what_was_asked(pwm: Interface) -> None:
    take(pwm, "1", 0.5, frequency=1000)
    (CHIP / "pwm1" / "period").write_text("2000000")
    pwm.open("1-frequency", "input", settings_of(pwm, {}))
    assert (pwm.read("1"), pwm.read("1-frequency")) == (0.25, 500)


def test_an_inverted_output_that_is_off_still_drives_its_line(pwm: Interface) -> None:
    take(pwm, "2", 0, inverted=True)
    assert hardware(2) == (True, 1_000_000, 0, "inverse")
    take(pwm, "2", 0.5, inverted=False)
    assert hardware(2) == (True, 1_000_000, 500_000, "normal")


def test_the_frequency_changes_up_and_down_while_it_runs(pwm: Interface) -> None:
    for frequency, period in ((100, 10_000_000), (20_000, 50_000), (100, 10_000_000)):
        take(pwm, "0", 0.9, frequency=frequency)
        assert hardware(0) == (True, period, period * 9 // 10, "normal")


def test_an_output_that_is_on_runs_on_when_let_go_and_is_taken_again_as_it_is(pwm: Interface) -> None:
    take(pwm, "3", 0.5)
    pwm.close("3")
    pwm.close("3")
    assert hardware(3) == (True, 1_000_000, 500_000, "normal")
    with pytest.raises(ChannelClosed, match="PWM 3 is not open"):
        pwm.read("3")
    take(pwm, "3", 0.5)
    pwm.write("3", 0)
    pwm.close("3")
    assert not hardware(3)[0]
    assert not (CHIP / "pwm3").exists()


@pytest.mark.parametrize("wanted", ["hwsim", "pwmchip0", 0, "0"])
def test_a_chip_is_named_by_its_device_name_or_number(wanted: str | int) -> None:
    with make("pwm", {"chip": wanted}, Context()) as pwm:
        assert list(pwm.channels())[:5] == ["0", "1", "2", "3", "0-frequency"]


def test_what_is_not_there_is_missed_with_what_is(pwm: Interface) -> None:
    with pytest.raises(DeviceMissing, match=r"no PWM chip is called 'fe20c000.pwm'; there are: pwmchip0 \(hwsim\)"):
        make("pwm", {"chip": "fe20c000.pwm"}, Context()).channels()
    with pytest.raises(ChannelUnknown, match="there is no channel '4'; there are: 0, 1, 2, 3"):
        take(pwm, "4", 0)
    with pytest.raises(NotSupported, match="PWM 0 is an output only"):
        pwm.open("0", "input", settings_of(pwm, {}))


def test_what_an_output_cannot_take_is_refused_and_changes_nothing(pwm: Interface) -> None:
    take(pwm, "0", 0.5)
    for raw in (1.1, -0.1, float("nan")):
        with pytest.raises(ValueRefused, match="it takes a duty cycle from 0 to 1"):
            pwm.write("0", raw)
    with pytest.raises(InterfaceError, match="needs the first value"):
        pwm.open("1", "output", settings_of(pwm, {}))
    with pytest.raises(SettingsError, match=r"setting 'frequency' is 0; wanted number >= 0\.001"):
        take(pwm, "0", 0.5, frequency=0)
    assert hardware(0) == (True, 1_000_000, 500_000, "normal")


def test_a_chip_that_this_user_may_not_use_names_the_remedy(pwm: Interface) -> None:
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionDenied, match=r"pwmchip0/export: permission denied: .* -aG gpio \$USER"):
            take(pwm, "0", 0)
    finally:
        os.seteuid(0)


def test_an_output_that_is_taken_away_is_missed_and_taken_again(pwm: Interface) -> None:
    take(pwm, "0", 0.5)
    (CHIP / "unexport").write_text("0")
    with pytest.raises(DeviceMissing, match=r"PWM 0: .*/pwm0/duty_cycle is gone"):
        pwm.read("0")
    take(pwm, "0", 0.75)
    assert hardware(0) == (True, 1_000_000, 750_000, "normal")


def test_a_board_without_pwm_is_told_what_to_switch_on(pwm: Interface) -> None:
    with unplugged(), pytest.raises(DeviceMissing, match=r"there is no PWM chip .* dtoverlay=pwm-2chan"):
        pwm.channels()
    assert len(pwm.channels()) == 8
