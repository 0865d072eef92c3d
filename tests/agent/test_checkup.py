"""What `piio doctor` says of drivers, of an agent's file, and of what has to be switched on."""

from __future__ import annotations

from pathlib import Path

import pytest

from piio.checkup import Scope
from piio_agent.checkup import checkup, device_file
from piio_agent.checkup.switches import switch_on
from piio_agent.interfaces.door import drivers


def said(part: str, scope: Scope) -> list[tuple[bool | None, str]]:
    return [(finding.ok, finding.message) for finding in checkup(scope) if finding.part == part]


def agent_file(folder: Path, text: str) -> Scope:
    (folder / "agent.toml").write_text(text)
    return Scope(folder / "agent.toml")


def test_whatever_this_machine_has_what_is_wrong_has_a_remedy() -> None:
    assert {finding.part for finding in checkup(Scope())} >= {"drivers", "gpio", "spi", "i2c", "pwm", "iio"}
    assert all(finding.remedy for finding in checkup(Scope()) if finding.ok is False)


def test_every_driver_is_named_and_a_strangers_broken_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import no_such_thing")
    (ok, problem), (_, names) = said("drivers", Scope(folders=(tmp_path,)))
    assert ok is False and "broken.py cannot be loaded: ModuleNotFoundError" in problem
    assert set(drivers()) == set(names.split(", "))


@pytest.mark.parametrize("model", ["Raspberry Pi 5 Model B Rev 1.0", "Raspberry Pi Zero W Rev 1.1"])
def test_a_raspberry_pi_is_told_what_to_type(model: str) -> None:
    assert switch_on("spi", model) == "sudo raspi-config nonint do_spi 0, then reboot"
    assert "dtoverlay=pwm-2chan" in switch_on("pwm", model)


@pytest.mark.parametrize("model", ["Xunlong Orange Pi PC", "Radxa ROCK 5B", "Linux x86_64"])
@pytest.mark.parametrize("kind", ["spi", "i2c", "pwm", "iio"])
def test_no_other_board_hears_of_raspi_config(kind: str, model: str) -> None:
    assert "docs/hardware.md" in switch_on(kind, model)
    assert "raspi" not in switch_on(kind, model)


def test_the_interfaces_of_a_file_are_looked_at_each_for_itself(tmp_path: Path) -> None:
    scope = agent_file(
        tmp_path,
        '[interfaces.gpio]\ndriver = "simulated"\n[interfaces.adc]\ndriver = "simulated"\npart = "adc"\n'
        '[interfaces.wrong]\ndriver = "simulated"\npart = "dac"\n',
    )
    gpio, adc, wrong = said("agent", scope)
    assert gpio == (True, "gpio (simulated): 26 channels")
    assert adc[0] and adc[1].startswith("adc (simulated): 8 channels, 0 reads ")
    assert wrong[0] is False and "option 'part' is 'dac'; wanted one of 'adc', 'gpio'" in wrong[1]


def test_a_drivers_own_mistake_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "mistake.py").write_text(
        "from piio_agent.interfaces import Interface\nclass Mistake(Interface):\n    name = 'mistake'\n"
        "    def channels(self):\n        return 1 / 0\n"
    )
    scope = Scope(agent_file(tmp_path, '[interfaces.x]\ndriver = "mistake"').config, (tmp_path,))
    assert said("agent", scope) == [
        (False, "x (mistake): a mistake in the driver: ZeroDivisionError: division by zero"),
    ]


def test_a_sensor_that_has_nothing_to_tell_yet_is_usable(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "from piio_agent.interfaces import Channel, Interface\nfrom piio_agent.interfaces.errors import NoReading\n"
        "class Slow(Interface):\n    name = 'slow'\n"
        "    def channels(self):\n        return {'0': Channel('Smell', ('input',), 'analog')}\n"
        "    def open(self, *_):\n        pass\n"
        "    def read(self, channel):\n        raise NoReading('it warms up')\n"
    )
    scope = Scope(agent_file(tmp_path, '[interfaces.nose]\ndriver = "slow"').config, (tmp_path,))
    assert said("agent", scope) == [(True, "nose (slow): 1 channel, 0: it warms up")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[interfaces.gpio", "is not TOML"),
        ("nmae = 1", "the key 'nmae' is unknown"),
        ("[interfaces.gpio]\nchip = 'x'", "interfaces.gpio: its driver is missing"),
        ("url = 'mqtt://a@b'\npassword_file = 'nowhere'", "nowhere"),
        ("url = 'http://a@b'", "mqtt://"),
    ],
)
def test_a_file_that_the_agent_would_refuse_is_refused_here(tmp_path: Path, text: str, wanted: str) -> None:
    ((ok, message),) = said("agent", agent_file(tmp_path, text))
    assert ok is False and wanted in message


def test_a_file_without_interfaces_is_told_what_the_agent_takes(tmp_path: Path) -> None:
    assert said("agent", agent_file(tmp_path, "")) == [
        (None, f"{tmp_path}/agent.toml names no interfaces: the agent takes the GPIO chip and an MCP3008, if any")
    ]


def test_a_file_of_no_group_needs_a_rule(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").touch(mode=0o600)
    assert "udev rule" in device_file.remedy(tmp_path / "gpiochip0")
