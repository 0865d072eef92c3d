"""The MCP3xxx family against the kernel's own spidev, with an MCP3008 that answers bit by bit."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from piio_agent.interfaces import Context, Interface, NoSettings
from piio_agent.interfaces.converter import CONVERTERS
from piio_agent.interfaces.door import make
from piio_agent.interfaces.errors import (
    ChannelClosed,
    ChannelUnknown,
    DeviceFailed,
    DeviceMissing,
    DriverMissing,
    PermissionDenied,
)

PARAMETERS = Path("/sys/module/hwsim/parameters")
COUNTS = [0, 100, 200, 300, 400, 512, 1000, 1023]


@pytest.fixture
def adc() -> Iterator[Interface]:
    (PARAMETERS / "adc").write_text(",".join(map(str, COUNTS)))
    with make("mcp3008", {}, Context()) as interface:
        yield interface
    (PARAMETERS / "fail").write_text("0")


def test_every_channel_gives_its_counts(adc: Interface) -> None:
    for n in range(8):
        adc.open(str(n), "input", NoSettings())
    assert [adc.read(str(n)) for n in range(8)] == COUNTS


def test_a_difference_of_two_inputs_is_a_channel_too(adc: Interface) -> None:
    for channel in ("5-4", "4-5", "7-6"):
        adc.open(channel, "input", NoSettings())
    assert [adc.read("5-4"), adc.read("4-5"), adc.read("7-6")] == [112, 0, 23]


@pytest.mark.parametrize("model", CONVERTERS)
def test_every_model_sends_its_frames_over_the_bus_at_a_clock_it_can(model: str) -> None:
    # MISO is wired to MOSI on the second chip select: the answer is what was sent.
    with make(model, {"device": 1}, Context()) as driver:
        for channel in driver.channels():
            driver.open(channel, "input", NoSettings())
            assert driver.read(channel) == CONVERTERS[model].counts(CONVERTERS[model].frame(channel))
        assert int((PARAMETERS / "spi_last_speed").read_text()) == CONVERTERS[model].speed


def test_the_clock_is_ours_and_not_the_controllers_maximum(adc: Interface) -> None:
    adc.open("1", "input", NoSettings())
    adc.read("1")
    assert int((PARAMETERS / "spi_last_speed").read_text()) == 1_000_000
    assert int((PARAMETERS / "spi_last_mode").read_text()) & 3 == 0
    with make("mcp3008", {"speed": 1_350_000}, Context()) as faster:
        faster.open("1", "input", NoSettings())
        faster.read("1")
    assert int((PARAMETERS / "spi_last_speed").read_text()) == 1_350_000


def test_the_first_sample_after_a_change_of_channel_is_thrown_away(adc: Interface) -> None:
    for channel in ("1", "2"):
        adc.open(channel, "input", NoSettings())
    assert [conversions(adc, channel) for channel in ("1", "1", "2", "1")] == [2, 1, 2, 2]
    with make("mcp3008", {"settle": False}, Context()) as quick:
        quick.open("1", "input", NoSettings())
        assert conversions(quick, "1") == 1


def test_channels_that_are_sampled_together_cost_no_more_conversions_than_they_must(adc: Interface) -> None:
    for n in range(8):
        adc.open(str(n), "input", NoSettings())
    assert list(adc.sample([str(n) for n in range(8)])) == COUNTS
    assert [sampled(adc, *channels) for channels in ("7", "7", "12", "2")] == [1, 1, 4, 1]
    with make("mcp3008", {"settle": False}, Context()) as quick:
        for n in range(8):
            quick.open(str(n), "input", NoSettings())
        assert sampled(quick, *"01234567") == 8


def test_a_sample_of_several_channels_names_them_when_it_fails(adc: Interface) -> None:
    for channel in "123":
        adc.open(channel, "input", NoSettings())
    adc.close("3")
    with pytest.raises(ChannelClosed, match="ADC 3 is not open"):
        adc.sample(["1", "3"])
    (PARAMETERS / "fail").write_text("1")
    with pytest.raises(DeviceFailed, match="reading ADC 1, 2 failed"):
        adc.sample(["1", "2"])


def test_a_converter_that_does_not_answer_gives_the_reason_and_works_again_afterwards(adc: Interface) -> None:
    adc.open("5", "input", NoSettings())
    (PARAMETERS / "fail").write_text("1")
    with pytest.raises(DeviceFailed, match=r"/dev/spidev0.0: reading ADC 5 failed: .* \(EIO\)"):
        adc.read("5")
    (PARAMETERS / "fail").write_text("0")
    assert adc.read("5") == 512


def test_a_device_that_is_not_there_names_itself_and_the_remedy(adc: Interface) -> None:
    absent = make("mcp3008", {"bus": 7, "device": 1}, Context())
    with pytest.raises(DeviceMissing, match=r"/dev/spidev7\.1: there is no such device: switch SPI on"):
        absent.channels()


def test_a_device_that_this_user_may_not_open_names_the_remedy(adc: Interface) -> None:
    os.seteuid(65534)
    try:
        with pytest.raises(
            PermissionDenied, match=r"/dev/spidev0\.0: permission denied: .*sudo usermod -aG spi \$USER"
        ):
            adc.channels()
    finally:
        os.seteuid(0)


def test_a_missing_package_names_itself_and_the_remedy(adc: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spidev", None)
    with pytest.raises(DriverMissing, match=r"spidev is missing: pip install 'piio\[spi\]'"):
        adc.channels()


def test_a_channel_is_read_only_while_it_is_open(adc: Interface) -> None:
    with pytest.raises(ChannelUnknown, match="there is no channel '8'"):
        adc.open("8", "input", NoSettings())
    adc.open("1", "input", NoSettings())
    adc.open("2", "input", NoSettings())
    adc.close("1")
    adc.close("1")
    assert adc.read("2") == 200
    with pytest.raises(ChannelClosed, match="ADC 1 is not open"):
        adc.read("1")
    adc.shut()
    adc.shut()


def conversions(adc: Interface, channel: str) -> int:
    """How many a read takes."""
    before = int((PARAMETERS / "spi_count").read_text())
    adc.read(channel)
    return int((PARAMETERS / "spi_count").read_text()) - before


def sampled(adc: Interface, *channels: str) -> int:
    """How many conversions one sample of each takes."""
    before = int((PARAMETERS / "spi_count").read_text())
    adc.sample(channels)
    return int((PARAMETERS / "spi_count").read_text()) - before
