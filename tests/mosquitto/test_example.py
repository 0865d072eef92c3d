"""The example of a broker's configuration is what ours gets."""

from pathlib import Path

from piio_mosquitto.configuration import Listener, configuration_file

EXAMPLE = Path(__file__).parents[2] / "mosquitto" / "mosquitto.conf.example"


def _settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_example_has_the_settings_of_a_real_broker():
    folder = Path("/var/lib/piio/broker")
    made = configuration_file(folder, Listener("0.0.0.0", 1883), local=folder / "socket")
    assert _settings(EXAMPLE.read_text()) == _settings(made)
