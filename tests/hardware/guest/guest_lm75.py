"""The driver that docs/drivers.md shows, against registers behind a real kernel's I2C."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from piio_agent.interfaces import Context, Interface, InterfaceError
from piio_agent.interfaces.door import drivers, make, settings_of
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, NotSupported, ValueRefused
from piio_agent.interfaces.i2c import I2cDevice
from tests.hardware.guest.hwsim import PARAMETERS, register_file

DOCS = Path(__file__).parents[3] / "docs"
FOLDER = DOCS / "examples" / "drivers"

TEMPERATURE, HYSTERESIS, LIMIT = 0, 2, 3


@pytest.fixture
def chip() -> Iterator[I2cDevice]:
    """An LM75's registers as they are after power-on: 75 and 80 °C."""
    with register_file(0x48) as registers:
        registers.write_word(HYSTERESIS, 0x4B00)
        registers.write_word(LIMIT, 0x5000)
        yield registers


@pytest.fixture
def lm75(chip: I2cDevice) -> Iterator[Interface]:
    options = {"bus": int(chip.path.removeprefix("/dev/i2c-")), "address": 0x48}
    with make("lm75", options, Context(), drivers([FOLDER])) as interface:
        yield interface


def take_limit(lm75: Interface, first: float, **settings: float) -> None:
    lm75.open("limit", "output", settings_of(lm75, settings), first)


def test_words_go_over_the_bus_with_the_more_significant_byte_first() -> None:
    file = I2cDevice(1, 0x76)
    (PARAMETERS / "regs").write_text("10=19,80")
    assert file.read_word(0x10) == 0x1980
    file.write_word(0x10, 0xE780)
    assert (file.read_register(0x10), file.read_register(0x11)) == (0xE7, 0x80)


@pytest.mark.parametrize(
    ("word", "degrees"), [(0x1900, 25), (0x1980, 25.5), (0x1920, 25.125), (0xFF80, -0.5), (0xC900, -55), (0x7D00, 125)]
)
def test_a_temperature_is_in_degrees_and_may_be_below_zero(
    lm75: Interface, chip: I2cDevice, word: int, degrees: float
) -> None:
    chip.write_word(TEMPERATURE, word)
    lm75.open("temperature", "input", settings_of(lm75, {}))
    assert lm75.read("temperature") == degrees


def test_a_limit_is_there_at_once_with_its_hysteresis_and_reads_back_what_the_chip_keeps(
    lm75: Interface, chip: I2cDevice
) -> None:
    take_limit(lm75, 30, hysteresis=2)
    assert (chip.read_word(LIMIT), chip.read_word(HYSTERESIS), lm75.read("limit")) == (0x1E00, 0x1C00, 30)
    lm75.write("limit", -10.3)
    assert (chip.read_word(LIMIT), chip.read_word(HYSTERESIS), lm75.read("limit")) == (0xF580, 0xF380, -10.5)
    lm75.close("limit")
    lm75.close("limit")
    assert chip.read_word(LIMIT) == 0xF580


def test_the_limit_is_above_its_hysteresis_at_every_moment(lm75: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    write = I2cDevice.write_word

    def write_and_look(device: I2cDevice, register: int, value: int) -> None:
        write(device, register, value)
        seen.append((device.read_word(HYSTERESIS), device.read_word(LIMIT)))

    monkeypatch.setattr(I2cDevice, "write_word", write_and_look)
    take_limit(lm75, 20)
    lm75.write("limit", 60)
    lm75.write("limit", 30)
    assert len(seen) == 6
    assert all(hysteresis < limit for hysteresis, limit in seen)


def test_what_it_cannot_take_is_refused_and_changes_nothing(lm75: Interface, chip: I2cDevice) -> None:
    take_limit(lm75, 30)
    for raw in (125.5, -56, float("nan")):
        with pytest.raises(ValueRefused, match="it takes -55 to 125 °C"):
            lm75.write("limit", raw)
    for channel, direction, error in (
        ("temperature", "output", NotSupported),
        ("limit", "input", NotSupported),
        ("humidity", "input", ChannelUnknown),
    ):
        with pytest.raises(error):
            lm75.open(channel, direction, settings_of(lm75, {}), 0)  # type: ignore[arg-type]
    with pytest.raises(InterfaceError, match="needs its first value"):
        lm75.open("limit", "output", settings_of(lm75, {}))
    with pytest.raises(ChannelClosed):
        lm75.read("temperature")
    assert chip.read_word(LIMIT) == 0x1E00


def test_a_chip_that_is_not_there_or_does_not_answer_says_what_to_look_at(lm75: Interface) -> None:
    absent = make("lm75", {"bus": 1, "address": 0x4C}, Context(), drivers([FOLDER]))
    with pytest.raises(InterfaceError, match=r"/dev/i2c-1 address 0x4c does not answer \(ENXIO\): see to its power"):
        absent.channels()


def test_the_lines_that_the_page_shows_for_a_test_run(chip: I2cDevice, capsys: pytest.CaptureFixture[str]) -> None:
    chip.write_word(TEMPERATURE, 0x1980)
    (code,) = re.findall(r"^```python\n(from .*?)^```", (DOCS / "drivers.md").read_text(), re.MULTILINE | re.DOTALL)
    here = code.replace('"bus": 7', f'"bus": {chip.path.removeprefix("/dev/i2c-")}').replace('"drivers"', f'"{FOLDER}"')
    assert here != code
    exec(compile(here, "docs/drivers.md", "exec"), {})
    assert capsys.readouterr().out == "25.5\n"
