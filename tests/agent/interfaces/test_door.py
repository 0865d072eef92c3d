"""How drivers come in, ours and a stranger's, and what their options and settings may be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from piio_agent.interfaces import Context, InterfaceError
from piio_agent.interfaces.door import drivers, make, settings_of, settings_schema
from piio_agent.interfaces.errors import DriverUnknown, NotSupported, OptionsError, SettingsError

THERMOMETER = """
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from piio_agent.interfaces import Channel, Interface
from piio_agent.interfaces.gpiod import Gpiod


@dataclass(frozen=True)
class Options:
    port: str
    rate: int = 9600


@dataclass(frozen=True)
class Settings:
    offset: Annotated[float, Meta(title="Offset", description="Kelvin added to what the sensor says.")] = 0.0


class Base(Interface):
    pass


class Thermometer(Base):
    name = "thermometer"
    title = "A stranger's thermometer"
    Options = Options
    Settings = Settings

    def channels(self):
        return {"0": Channel("Sensor", ("input",), "analog")}

    def open(self, channel, direction, settings, first=None):
        self.offset = settings.offset

    def read(self, channel):
        return 20.0 + self.offset

    def close(self, channel):
        pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "thermometer.py").write_text(THERMOMETER)
    return tmp_path


def test_our_own_drivers_come_through_the_door() -> None:
    known = drivers()
    assert {"simulated", "gpiod", "mcp3008"} <= set(known)
    assert known.problems == []
    assert all(known[name].name == name and known[name].title for name in ("simulated", "gpiod", "mcp3008"))


def test_looking_for_drivers_imports_none_of_them_and_importing_them_touches_no_library() -> None:
    script = """
import sys
from piio_agent.interfaces.door import drivers
known = drivers()
assert not [m for m in sys.modules if m in ("piio_agent.interfaces.gpiod", "piio_agent.interfaces.mcp3xxx")]
list(map(known.get, known))
assert "piio_agent.interfaces.gpiod" in sys.modules
assert not {"gpiod", "spidev"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


def test_a_strangers_file_in_a_folder_is_a_driver_like_ours(folder: Path) -> None:
    known = drivers([folder])
    with make("thermometer", {"port": "/dev/ttyUSB0"}, Context(), known) as sensor:
        assert (sensor.options.port, sensor.options.rate) == ("/dev/ttyUSB0", 9600)
        sensor.open("0", "input", settings_of(sensor, {"offset": -1}))
        assert sensor.read("0") == 19
        with pytest.raises(NotSupported, match="thermometer cannot write channel 0"):
            sensor.write("0", 1)
        with pytest.raises(NotSupported, match="only simulated boards"):
            sensor.simulate("0", 1)
    assert known.problems == []


def test_only_what_a_file_defines_itself_and_names_is_a_driver(folder: Path) -> None:
    assert set(drivers([folder])) - set(drivers()) == {"thermometer"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("class", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        (
            THERMOMETER.replace("    Settings = Settings\n", "    Settings = dict\n"),
            "is not a dataclass",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_reported_and_keeps_nobody_out(folder: Path, text: str, reason: str) -> None:
    (folder / "broken.py").write_text(text)
    known = drivers([folder])
    assert {"thermometer", "simulated"} <= set(known)
    assert [str(problem).startswith(f"{folder / 'broken.py'} cannot be loaded: ") for problem in known.problems] == [
        True
    ]
    assert reason in str(known.problems[0])


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    known = drivers([tmp_path / "nowhere"])
    assert "nowhere cannot be loaded" in str(known.problems[0])
    assert "simulated" in known


def test_a_file_takes_the_place_of_our_driver_of_the_same_name(folder: Path) -> None:
    (folder / "mine.py").write_text(THERMOMETER.replace('"thermometer"', '"mcp3008"'))
    assert drivers([folder])["mcp3008"].title == "A stranger's thermometer"


def test_an_unknown_driver_is_named_with_those_there_are() -> None:
    with pytest.raises(DriverUnknown, match=r"no driver is called 'gpoid'; there are: .*gpiod, .*mcp3008, .*simulated"):
        make("gpoid", {}, Context())


@pytest.mark.parametrize(
    ("driver", "options", "answer"),
    [
        ("gpiod", {"chp": "x"}, "driver gpiod: option 'chp' is unknown; there are: chip, groups"),
        ("gpiod", {"chip": 0}, "driver gpiod: option 'chip' is 0; wanted string"),
        ("mcp3008", {"bus": "0"}, "driver mcp3008: option 'bus' is '0'; wanted integer >= 0"),
        ("mcp3008", {"bus": -1}, "driver mcp3008: option 'bus' is -1; wanted integer >= 0"),
        ("simulated", {"part": "dac"}, "driver simulated: option 'part' is 'dac'; wanted one of 'adc', 'gpio'"),
        ("thermometer", {}, "driver thermometer: option 'port' is missing; wanted string"),
    ],
)
def test_a_wrong_option_says_what_it_got_and_wanted(
    folder: Path, driver: str, options: dict[str, Any], answer: str
) -> None:
    with pytest.raises(OptionsError) as refused:
        make(driver, options, Context(), drivers([folder]))
    assert str(refused.value) == answer
    assert isinstance(refused.value, InterfaceError)


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"pull": "up"}, "setting 'pull' is unknown; there are: active_low, bias, drive, debounce_period"),
        ({"active_low": "yes"}, "setting 'active_low' is 'yes'; wanted boolean"),
        ({"active_low": 1}, "setting 'active_low' is 1; wanted boolean"),
        ({"active_low": None}, "setting 'active_low' is None; wanted boolean"),
        ({"bias": "up"}, "setting 'bias' is 'up'; wanted one of 'as-is', 'disabled', 'pull-down', 'pull-up'"),
        ({"debounce_period": -1}, "setting 'debounce_period' is -1; wanted number >= 0 and <= 60"),
        ({"debounce_period": True}, "setting 'debounce_period' is True; wanted number >= 0 and <= 60"),
    ],
)
def test_a_wrong_setting_says_what_it_got_and_wanted(settings: dict[str, Any], answer: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_of(drivers()["gpiod"], settings)
    assert str(refused.value) == answer


def test_settings_that_are_left_out_have_their_defaults() -> None:
    cls = drivers()["gpiod"]
    assert settings_of(cls, {"debounce_period": 1}) == cls.Settings(debounce_period=1.0)


def test_the_schema_of_settings_is_a_form_with_a_sentence_per_field() -> None:
    schema = settings_schema(drivers()["gpiod"])
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == ["active_low", "bias", "drive", "debounce_period"]
    for field in schema["properties"].values():
        assert field["title"]
        assert field["description"].endswith(".")
        assert "default" in field


@pytest.mark.parametrize("settings", [{}, {"bias": "up"}, {"bias": "pull-up"}, {"x": 1}, {"debounce_period": 61}])
def test_the_schema_and_the_driver_agree_on_what_is_allowed(settings: dict[str, Any]) -> None:
    cls = drivers()["simulated"]
    allowed = Draft202012Validator(settings_schema(cls)).is_valid(settings)
    try:
        settings_of(cls, settings)
    except SettingsError:
        assert not allowed
    else:
        assert allowed


def test_the_simulated_parts_have_settings_of_their_own() -> None:
    adc, gpio = (make("simulated", {"part": part}, Context()) for part in ("adc", "gpio"))
    assert settings_schema(adc)["properties"] == {}
    assert settings_schema(type(adc))["properties"] == {}
    assert "active_low" in settings_schema(gpio)["properties"]
    assert (adc.name, gpio.name) == ("simulated", "simulated")
