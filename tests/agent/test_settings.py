"""An agent's own file, the command line and the environment."""

from pathlib import Path

import pytest

from piio_agent.hardware import InterfaceSettings
from piio_agent.settings import SIMULATED, Settings, SettingsProblem, identity, read_settings

FILE = """
name = "bench1"
url = "mqtts://bench1@broker.example:8883"
password_file = "bench1.password"
[interfaces.gpio]
driver = "gpiod"
chip = "pinctrl-bcm2711"
[interfaces.adc]
driver = "mcp3008"
bus = 0
device = 0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.toml"


def test_the_file_says_who_an_agent_is_and_what_hardware_it_has(file: Path) -> None:
    file.write_text(FILE)
    (file.parent / "bench1.password").write_text("secret\n")
    who = identity(read_settings(file))
    assert (who.name, who.address.host, who.address.port, who.address.tls) == ("bench1", "broker.example", 8883, True)
    assert (who.address.user, who.address.password) == ("bench1", "secret")
    assert who.interfaces == {
        "gpio": InterfaceSettings("gpiod", {"chip": "pinctrl-bcm2711"}),
        "adc": InterfaceSettings("mcp3008", {"bus": 0, "device": 0}),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nmae = 'x'", "the key 'nmae' is unknown; there are: name, url"),
        ("name = 5", 'name is 5: write it in quotes, name = "…"'),
        ("name = x", "is not TOML: Invalid value (at line 1, column 8)"),
        ("[interfaces.gpio]\nchip = 'x'", 'interfaces.gpio: its driver is missing: write driver = "gpiod"'),
        ("[interfaces.'G P']\ndriver = 'gpiod'", "'G P' is not a name"),
        ("interfaces = 3", "interfaces has to be tables"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_place_and_remedy(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsProblem) as caught:
        read_settings(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_is_said(file: Path) -> None:
    with pytest.raises(SettingsProblem, match="cannot be read"):
        read_settings(file)


def test_the_command_line_wins_over_the_file_and_the_file_over_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIIO_URL", "mqtt://someone@elsewhere")
    monkeypatch.setenv("PIIO_PASSWORD", "word")
    assert identity(Settings(), simulate=True).address.host == "elsewhere"
    settings = Settings(name="bench1", url="mqtt://b@here")
    assert identity(settings, simulate=True).address.host == "here"
    who = identity(settings, simulate=True, url="mqtt://c@there", name="bench2")
    assert (who.name, who.address.host, who.address.password) == ("bench2", "there", "word")


def test_without_a_name_an_agent_is_called_what_the_broker_knows_it_as() -> None:
    assert identity(Settings(), url="mqtt://spare:x@here", simulate=True).name == "spare"


def test_what_is_missing_is_said_with_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIIO_URL", raising=False)
    with pytest.raises(SettingsProblem, match="--url"):
        identity(Settings(), simulate=True)
    with pytest.raises(SettingsProblem, match="reserved: choose another name: give --name"):
        identity(Settings(), url="mqtt://here", name="bridge", simulate=True)
    monkeypatch.setattr("piio_agent.settings.found_on_board", dict)
    with pytest.raises(SettingsProblem, match="--simulate"):
        identity(Settings(), url="mqtt://here", name="a")


def test_a_simulated_board_has_lines_and_analog_inputs() -> None:
    assert identity(Settings(), url="mqtt://a@here", simulate=True).interfaces == SIMULATED
    assert set(SIMULATED) == {"gpio", "adc"}
