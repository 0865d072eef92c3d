"""The driver iio with the kernel's own mcp320x and ads1015 drivers, which talk to converters that answer bit by bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from piio_agent.interfaces import Context, Interface, InterfaceError, NoSettings
from piio_agent.interfaces.door import make
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, DeviceFailed, DeviceMissing, NotSupported
from tests.hardware.guest.hwsim import PARAMETERS, unplugged

BUS = Path("/sys/bus/i2c/devices/i2c-1")
COUNTS = [0, 100, 200, 300, 400, 512, 1000, 1023]


@pytest.fixture
def adc() -> Iterator[Interface]:
    (PARAMETERS / "adc").write_text(",".join(map(str, COUNTS)))
    with make("iio", {"device": "mcp3008"}, Context()) as interface:
        yield interface
    (PARAMETERS / "fail").write_text("0")


@pytest.fixture
def ads() -> Iterator[None]:
    """An ADS1115, for which the kernel's driver is called."""
    (PARAMETERS / "ads").write_text("0,1000,20000,-5")
    (BUS / "new_device").write_text("ads1115 0x48")
    yield
    (PARAMETERS / "fail").write_text("0")
    (BUS / "delete_device").write_text("0x48")


def read(interface: Interface, *channels: str) -> list[float]:
    for channel in channels:
        interface.open(channel, "input", NoSettings())
    return [interface.read(channel) for channel in channels]


def test_an_mcp3008_that_the_kernel_drives_gives_its_counts_and_differences(adc: Interface) -> None:
    assert list(adc.channels())[:9] == [*"01234567", "0-1"]
    assert read(adc, *map(str, range(8))) == COUNTS
    assert read(adc, "5-4", "4-5", "7-6") == [112, 0, 23]


def test_an_ads1115_gives_counts_with_sign_and_its_range(ads: None) -> None:
    with make("iio", {"device": "1-0048"}, Context()) as adc:
        assert read(adc, "0", "1", "2", "3", "2-3") == [0, 1000, 20000, -5, 20005]
        assert (adc.channels()["0"].low, adc.channels()["0"].high) == (-32768, 32767)
        assert adc.channels()["0-1"].label == "ads1015 voltage0-voltage1"


def test_as_many_readings_are_promised_as_the_kernel_tells_of_and_none_where_it_does_not(
    adc: Interface, ads: None
) -> None:
    assert adc.fastest() is None
    with make("iio", {"device": "1-0048"}, Context()) as several:
        # It does 128 a second; of several inputs half, for after each change it begins anew.
        assert several.fastest() == 64
        (next(BUS.glob("1-0048/iio:device*")) / "in_voltage1_sampling_frequency").write_text("64")
        assert several.fastest() == 32


def test_scaled_an_ads1115_gives_millivolts_and_follows_its_gain(ads: None) -> None:
    with make("iio", {"device": "ads1015", "scaled": True}, Context()) as adc:
        assert read(adc, "1", "2") == [62.5, 1250]
        assert (adc.channels()["0"].low, adc.channels()["0"].high) == (-2048, 2047.9375)
        device = next(path for path in Path("/sys/bus/iio/devices").glob("iio:*") if "1-0048" in str(path.resolve()))
        (device / "in_voltage1_scale").write_text("0.125")
        assert read(adc, "1") == [125]


def test_a_scale_that_the_kernel_does_not_know_says_what_to_do(adc: Interface) -> None:
    with make("iio", {"device": "mcp3008", "scaled": True}, Context()) as scaled:
        assert scaled.channels()["3"].high is None
        with pytest.raises(InterfaceError, match=r"in_voltage_scale is not known to the kernel .*leave scaled out"):
            read(scaled, "3")


def test_a_device_is_named_by_name_address_or_number_and_may_be_left_out_if_it_is_the_only_one(adc: Interface) -> None:
    for wanted in ("mcp3008", "spi0.2", "iio:device0", ""):
        with make("iio", {"device": wanted}, Context()) as interface:
            assert read(interface, "5") == [512]


def test_what_is_not_there_or_not_clear_is_told_with_what_is(adc: Interface, ads: None) -> None:
    for wanted, answer in (("mcp3208", "no IIO device is called 'mcp3208'"), ("", "more than one IIO device is there")):
        with pytest.raises(DeviceMissing, match=rf"{answer}.*there are: mcp3008 \(spi0\.2\), ads1015 \(1-0048\)"):
            make("iio", {"device": wanted}, Context()).channels()
    with pytest.raises(ChannelUnknown, match="there is no channel '8'"):
        read(adc, "8")
    with pytest.raises(NotSupported, match="mcp3008 voltage1 is an input only"):
        adc.open("1", "output", NoSettings(), 0)
    adc.close("1")
    with pytest.raises(ChannelClosed, match="mcp3008 1 is not open"):
        adc.read("1")


def test_a_converter_that_does_not_answer_gives_the_reason_and_works_again_afterwards(
    adc: Interface, ads: None
) -> None:
    with make("iio", {"device": "1-0048"}, Context()) as other:
        read(adc, "5")
        read(other, "1")
        (PARAMETERS / "fail").write_text("3")
        with pytest.raises(DeviceFailed, match=r"mcp3008 \(spi0\.2\) in_voltage5_raw: reading failed: .* \(EIO\)"):
            adc.read("5")
        with pytest.raises(DeviceFailed, match=r"ads1015 \(1-0048\) in_voltage1_raw: reading failed: .* \(EREMOTEIO\)"):
            other.read("1")
        (PARAMETERS / "fail").write_text("0")
        assert (adc.read("5"), other.read("1")) == (512, 1000)


def test_a_device_that_goes_is_missed_and_found_when_it_is_back(adc: Interface) -> None:
    read(adc, "5")
    with unplugged():
        with pytest.raises(DeviceMissing, match=r"in_voltage5_raw is gone"):
            adc.read("5")
        with pytest.raises(DeviceMissing, match="the kernel has no IIO device: load its driver"):
            adc.channels()
    assert read(adc, "5") == [512]
