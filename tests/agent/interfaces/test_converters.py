"""Every converter of the MCP3xxx family, bit by bit: what the driver sends, what the silicon answers, what it means."""

from __future__ import annotations

import pytest

from piio_agent.interfaces import Context
from piio_agent.interfaces.converter import CONVERTERS
from piio_agent.interfaces.door import drivers, make
from piio_agent.interfaces.errors import OptionsError
from piio_agent.interfaces.simulation.mcp3xxx import SILICON, Mcp3xxxChip

TEN_BITS = (100, 900, 0, 1023, 1, 2, 341, 682)
TWELVE_BITS = (100, 4000, 0, 4095, 1, 2, 1365, 2730)


def levels(model: str) -> tuple[int, ...]:
    return TEN_BITS if CONVERTERS[model].bits == 10 else TWELVE_BITS


def read(model: str, channel: str, pins: tuple[int, ...]) -> int:
    chip = Mcp3xxxChip(lambda pin: pins[pin], model)
    return CONVERTERS[model].counts(chip.transfer(CONVERTERS[model].frame(channel)))


@pytest.mark.parametrize("model", CONVERTERS)
def test_every_channel_of_every_model_gives_what_is_at_its_pins(model: str) -> None:
    converter, pins = CONVERTERS[model], levels(model)
    for channel in converter.channels:
        plus, _, minus = ("0-1" if converter.inputs == 1 else channel).partition("-")
        expected = pins[int(plus)] - (pins[int(minus)] if minus else 0)
        assert read(model, channel, pins) == (expected if converter.signed else max(0, expected)), channel


@pytest.mark.parametrize("model", CONVERTERS)
def test_both_ends_of_a_range_are_reached_and_nothing_beyond(model: str) -> None:
    converter = CONVERTERS[model]
    top = (1 << converter.bits) - 1
    for channel, told in converter.channels.items():
        pins = [0] * 8
        pins[int(channel[0])] = top
        assert read(model, channel, tuple(pins)) == told.high == top
        pins = [top] * 8
        pins[int(channel[0])] = 0
        # Two pins of a pair cannot be further apart than the reference, so the very last code below zero never comes.
        assert read(model, channel, tuple(pins)) == (-top if told.low else 0)


@pytest.mark.parametrize(
    ("model", "channel", "sent"),
    [
        ("mcp3001", "0", [0, 0]),
        ("mcp3002", "1", [0b0_1_1_1_1_000, 0]),
        ("mcp3004", "3", [0x01, 0b1_011_0000, 0]),
        ("mcp3008", "0", [0x01, 0x80, 0x00]),
        ("mcp3008", "7", [0x01, 0xF0, 0x00]),
        ("mcp3008", "3-2", [0x01, 0x30, 0x00]),
        ("mcp3202", "0", [0x01, 0b1_0_1_00000, 0]),
        ("mcp3202", "1-0", [0x01, 0b0_1_1_00000, 0]),
        ("mcp3208", "6", [0b00000_1_1_1, 0b10_000000, 0]),
        ("mcp3304", "5", [0b0000_1_1_10, 0b1_0000000, 0]),
        ("mcp3304", "4-5", [0b0000_1_0_10, 0, 0]),
    ],
)
def test_the_frames_are_those_of_the_data_sheets(model: str, channel: str, sent: list[int]) -> None:
    assert CONVERTERS[model].frame(channel) == sent


def test_every_model_has_a_driver_of_its_name_and_a_clock_that_it_can() -> None:
    assert set(CONVERTERS) == set(SILICON) <= set(drivers())
    for model, converter in CONVERTERS.items():
        assert f"{model[:3].upper()}{model[3:]}, {converter.inputs} " in drivers()[model].title
        assert 10_000 < converter.speed <= converter.slow < converter.fast


def test_a_clock_that_the_model_cannot_is_refused_with_what_it_can() -> None:
    assert make("mcp3208", {"speed": 2_000_000}, Context()).options.speed == 2_000_000
    with pytest.raises(
        OptionsError, match=r"'speed' is 2000001; it takes 1,000,000 Hz at 2.7 V, and never more than 2"
    ):
        make("mcp3208", {"speed": 2_000_001}, Context())


@pytest.mark.parametrize(
    ("model", "options", "fastest"),
    [
        # 24 bits at 1 MHz and 50 µs for the rest, twice where each change of channel costs a conversion.
        ("mcp3008", {}, 6700),
        ("mcp3008", {"settle": False}, 13500),
        ("mcp3008", {"settle": False, "speed": 100_000}, 3400),
        ("mcp3001", {}, 15100),
        ("mcp3201", {"settle": False}, 14200),
    ],
)
def test_a_converter_promises_what_its_clock_allows(model: str, options: dict[str, object], fastest: float) -> None:
    assert make(model, options, Context()).fastest() == fastest


def test_the_silicon_answers_bit_by_bit() -> None:
    # The start bit at the very first clock: six clocks nobody drives, the null bit, then 341 = 0b0101010101.
    chip = Mcp3xxxChip(lambda _: 341)
    assert chip.transfer([0b1_1_110_000, 0, 0])[:2] == [0b111111_0_0, 0b10101010]


def test_the_silicon_repeats_the_code_backwards_when_it_is_clocked_on() -> None:
    answer = Mcp3xxxChip(lambda _: 0b1100000001).transfer([1, 0x80, 0, 0, 0])
    assert "".join(f"{byte:08b}" for byte in answer)[13:] == "0" + "1100000001" + "000000011" + "0" * 7
    answer = Mcp3xxxChip(lambda pin: 0 if pin else 0b1100000001, "mcp3001").transfer([0, 0, 0])
    assert "".join(f"{byte:08b}" for byte in answer) == "11" + "0" + "1100000001" + "000000011" + "00"
