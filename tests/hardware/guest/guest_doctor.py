"""What `piio doctor` says of a board whose device files are a real kernel's."""

from __future__ import annotations

import grp
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from piio.checkup import Finding, Scope
from piio_agent.checkup import checkup
from piio_agent.interfaces import Context
from piio_agent.interfaces.door import make, settings_of
from tests.hardware.guest.hwsim import PARAMETERS, register_file, unplugged

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples" / "drivers"

NOBODY = 65534

BOARD = """
[interfaces.gpio]
driver = "gpiod"
chip = "pinctrl-bcm2711"
[interfaces.adc]
driver = "mcp3008"
[interfaces.kernel_adc]
driver = "iio"
[interfaces.servo]
driver = "pwm"
[interfaces.relays]
driver = "pcf8574"
"""


def found(part: str, scope: Scope | None = None) -> list[Finding]:
    """What is said of one part, in its order."""
    return [finding for finding in checkup(scope or Scope()) if finding.part == part]


def said(part: str, scope: Scope | None = None) -> str:
    """The same as one text."""
    return "\n".join(f"{finding.ok} {finding.message} -> {finding.remedy}" for finding in found(part, scope))


@contextmanager
def anybody() -> Iterator[None]:
    """Not root."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An agent's own file."""
    path = tmp_path / "agent.toml"
    path.write_text(BOARD)
    return path


@pytest.fixture(autouse=True)
def answering() -> Iterator[None]:
    yield
    (PARAMETERS / "fail").write_text("0")


def test_every_gpio_chip_is_told_by_its_label_with_who_holds_what(chip: Any) -> None:
    with make("gpiod", {}, Context()) as gpio:
        gpio.open("17", "output", settings_of(gpio, {}), 0)
        other, ours = sorted(found("gpio"), key=lambda finding: "bcm2711" in finding.message)
    assert other.ok and other.message == "another-chip (gpiochip0): 4 lines, none of them held"
    assert ours.ok and "pinctrl-bcm2711 (gpiochip1): 54 lines, GPIO17 held by 'piio" in ours.message
    assert ours.message.endswith("; taken where no chip is named")
    assert "17" not in said("gpio")


def test_every_other_device_is_told_with_what_the_kernel_keeps_to_itself() -> None:
    device = Path("/sys/bus/i2c/devices/i2c-1")
    (device / "new_device").write_text("ads1115 0x48")
    with make("pwm", {}, Context()) as pwm:
        pwm.open("2", "output", settings_of(pwm, {}), 0)
        try:
            assert [finding.message for finding in found("pwm")] == ["hwsim (pwmchip0): 4 outputs, taken: 2"]
            assert [finding.message for finding in found("spi")] == [
                "/dev/spidev0.0 is usable",
                "/dev/spidev0.1 is usable",
                "spi0.2 is driven by the kernel (mcp320x), so it has no device file",
            ]
            assert [finding.message for finding in found("i2c")] == [
                "/dev/i2c-1 (hwsim i2c) is usable; the kernel drives 0x48 (ads1015)"
            ]
            mcp, ads = (finding.message for finding in found("iio"))
            assert mcp.startswith("mcp3008 (spi0.2): 0, 1, 2") and ads.startswith("ads1015 (1-0048): 0, 1, 2")
        finally:
            (device / "delete_device").write_text("0x48")


def test_what_is_not_open_to_this_user_names_the_group_to_join_or_the_rule_to_write(chip: Any) -> None:
    spi, group = Path("/dev/spidev0.0"), grp.getgrnam("daemon")
    os.chown(spi, 0, group.gr_gid)
    spi.chmod(0o660)
    try:
        with anybody():
            assert "False /dev/spidev0.0 is not open to this user -> sudo usermod -aG daemon nobody, then" in said(
                "spi"
            )
            assert "False /dev/gpiochip1 is not open to this user -> give it to a group by a udev rule" in said("gpio")
            assert "False /dev/i2c-1 (hwsim i2c) is not open to this user -> give it" in said("i2c")
            assert "False hwsim (pwmchip0): 4 outputs; not open to this user -> give it" in said("pwm")
    finally:
        os.chown(spi, 0, 0)


def test_a_package_that_is_missing_is_named_with_what_to_type(chip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    real = importlib.util.find_spec
    monkeypatch.setattr("piio_agent.checkup.spi.find_spec", lambda name: None if name == "spidev" else real(name))
    assert said("gpio").endswith("gpiochip0 is there, but gpiod is missing -> pip install 'piio[agent]'")
    assert "False /dev/spidev0.0 is there, but spidev is missing -> pip install 'piio[spi]'" in said("spi")


def test_a_machine_without_any_of_it_is_not_broken() -> None:
    with unplugged():
        for part in ("gpio", "spi", "i2c", "pwm", "iio"):
            (finding,) = found(part)
            assert finding.ok is None
            assert finding.remedy or "--simulate" in finding.message


def test_each_interface_of_an_agents_file_is_looked_at_and_a_converter_is_read(chip: Any, file: Path) -> None:
    (PARAMETERS / "adc").write_text("77,0,0,0,0,0,0,0")
    assert [finding.message for finding in found("agent", Scope(file))] == [
        f"gpio (gpiod): {54 + 28} channels",
        "adc (mcp3008): 16 channels, 0 reads 77",
        "kernel_adc (iio): 16 channels, 0 reads 77",
        "servo (pwm): 8 channels",
        "relays (pcf8574): 8 channels",
    ]
    assert "none of them held" in said("gpio") and "taken: " not in said("pwm")


@pytest.mark.parametrize(
    ("fail", "wanted"),
    [
        ("1", "adc (mcp3008): /dev/spidev0.0: reading ADC 0 failed: Input/output error (EIO)"),
        ("1", "kernel_adc (iio): mcp3008 (spi0.2) in_voltage0_raw: reading failed: Input/output error (EIO)"),
        ("2", "relays (pcf8574): /dev/i2c-1 address 0x20 does not answer (EREMOTEIO): see to its power, wiring"),
    ],
)
def test_a_device_that_does_not_answer_is_told_and_hides_no_other(
    chip: Any, file: Path, fail: str, wanted: str
) -> None:
    (PARAMETERS / "fail").write_text(fail)
    findings = found("agent", Scope(file))
    assert [finding.ok for finding in findings if finding.message.startswith(wanted)] == [False]
    assert len(findings) == 5 and findings[0].ok and findings[3].ok


def test_what_was_unplugged_or_is_not_there_is_told_with_what_is(file: Path) -> None:
    with unplugged():
        told = said("agent", Scope(file))
    for part in (
        "False gpio (gpiod): there is no GPIO chip (/dev/gpiochip*)",
        "False adc (mcp3008): /dev/spidev0.0: there is no such device: switch SPI on",
        "False kernel_adc (iio): the kernel has no IIO device",
        "False servo (pwm): there is no PWM chip",
        "False relays (pcf8574): /dev/i2c-1: there is no such bus: switch I2C on",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ('driver = "gpiod"\nchip = "pinctrl-rp1"', "no GPIO chip is called 'pinctrl-rp1'; there are: "),
        ('driver = "gpoid"', "no driver is called 'gpoid'; there are: "),
        ('driver = "mcp3008"\nbsu = 1', "option 'bsu' is unknown; there are: bus, device"),
        ('driver = "mcp3008"\nbus = 7', "/dev/spidev7.0: there is no such device: switch SPI on"),
        ('driver = "iio"\ndevice = "mcp3208"', "no IIO device is called 'mcp3208'; there are: mcp3008 (spi0.2)"),
        ('driver = "pwm"\nchip = "fe20c000.pwm"', "no PWM chip is called 'fe20c000.pwm'; there are: pwmchip0 (hwsim)"),
        ('driver = "rpigpio"', "pip install 'piio[rpigpio]'"),
    ],
)
def test_a_wrong_table_says_what_is_there(chip: Any, tmp_path: Path, table: str, wanted: str) -> None:
    (tmp_path / "agent.toml").write_text(f"[interfaces.x]\n{table}\n")
    (finding,) = found("agent", Scope(tmp_path / "agent.toml"))
    assert finding.ok is False and wanted in finding.message


def test_the_command_tells_all_that_and_exits_1_for_what_is_wrong(chip: Any, tmp_path: Path) -> None:
    with register_file(0x49) as registers:
        registers.write_word(0, 0x1980)
        (tmp_path / "agent.toml").write_text(
            'url = "mqtt://bench1:secret@127.0.0.1:9"\n[interfaces.board]\ndriver = "lm75"\naddress = 0x49\n'
            f"bus = {registers.path.removeprefix('/dev/i2c-')}\n"
        )
        fine = doctor(tmp_path, "--interfaces-dir", str(EXAMPLES))
        assert "ok      agent       board (lm75): 2 channels\n" in fine.stdout
        assert "agent.toml: bench1 at " in fine.stdout and "secret" not in fine.stdout
        assert (fine.returncode, fine.stderr) == (0, "")
        wrong = doctor(tmp_path, "--json")
        assert wrong.returncode == 1
        assert any("no driver is called 'lm75'" in finding["message"] for finding in json.loads(wrong.stdout))


def doctor(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "piio", "doctor", "--config", "agent.toml", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
