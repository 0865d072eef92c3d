"""What a line that counts has beside itself, and what may be configured of it at once."""

from typing import Any

import msgspec
import pytest

from piio_schemas.configuration import Point, read_configuration
from piio_schemas.counted_lines import counting_problems, counting_refusals
from piio_schemas.counting import MEASURES, Counting
from piio_schemas.states import ChannelCapability, InterfaceCapability

LINE = {"label": "GPIO17 (pin 11)", "directions": ["input", "output"], "kind": "digital", "edges": True}
DOCUMENT = {
    "driver": "x", "title": "X", "ok": True,
    "channels": {
        "17": LINE | {"counts": True}, "18": LINE, "0-frequency": LINE, "0": LINE | {"counts": True},
    },
    "settings": {
        "type": "object", "additionalProperties": False,
        "properties": {"active_low": {"type": "boolean", "default": False}, "bias": {"default": "as-is"}},
    },
    "counting": Counting(dict(MEASURES), {"properties": {"window": {"type": "number"}}}),
}  # fmt: skip
GPIO = msgspec.convert(msgspec.to_builtins(DOCUMENT), InterfaceCapability)


def told(**points: Any) -> dict[str, str]:
    """What is wrong, by path."""
    found = counting_problems(_read(points), {"gpio": GPIO})
    return {problem.path: problem.message for problems in found.values() for problem in problems}


def refused(**points: Any) -> dict[str, str]:
    """Which points give way."""
    return counting_refusals(_read(points), {"gpio": GPIO})


def _read(points: dict[str, Any]) -> dict[str, Point]:
    return read_configuration(
        {"points": {name: {"interface": "gpio"} | point for name, point in points.items()}}
    ).points


def test_a_line_that_counts_has_more_channels_than_are_listed() -> None:
    assert GPIO.channel("17") == GPIO.channels["17"]
    assert GPIO.channel("17-duty") == ChannelCapability("GPIO17 (pin 11): duty", ["input"], "analog", low=0, high=1)
    assert GPIO.channel("17-lost") == ChannelCapability("GPIO17 (pin 11): lost edges", ["input"], "analog", low=0)
    assert GPIO.channel("0-frequency") == GPIO.channels["0-frequency"]


@pytest.mark.parametrize("id", ["18-pulses", "19-pulses", "17-speed", "17-", "-pulses", "pulses", "17-pulses-pulses"])
def test_what_is_measured_of_nothing_is_no_channel(id: str) -> None:
    assert GPIO.channel(id) is None


def test_a_counting_channel_has_settings_of_its_own_beside_the_lines() -> None:
    assert list(GPIO.settings_of("17-pulses")["properties"]) == ["active_low", "bias", "window"]
    assert GPIO.settings_of("17-pulses")["additionalProperties"] is False
    assert GPIO.settings_of("17") == GPIO.settings_of("0-frequency") == GPIO.settings


def test_a_line_may_be_looked_at_in_every_way_at_once() -> None:
    line = {"settings": {"active_low": True}}
    assert (
        told(
            door={"channel": "17", "settings": {"active_low": True, "bias": "as-is"}},
            doors={"channel": "17-pulses", "settings": {"active_low": True, "keep": True}},
            rate={"channel": "17-frequency", **line},
            rate2={"channel": "17-frequency", **line},
            lamp={"channel": "18", "direction": "output"},
        )
        == {}
    )


def test_other_settings_of_the_line_are_told_on_both_sides() -> None:
    other = {"channel": "17", "settings": {"active_low": True}}
    assert told(door=other, doors={"channel": "17-pulses"}, rate={"channel": "17-duty"}) == {
        "points.door.settings": "channel '17' has other settings at 'doors', 'rate': make those of the line equal",
        "points.doors.settings": "channel '17' has other settings at 'door': make those of the line equal",
        "points.rate.settings": "channel '17' has other settings at 'door': make those of the line equal",
    }
    assert set(refused(doors={"channel": "17-pulses"}, door=other, rate=other | {"channel": "17-duty"})) == {"doors"}
    assert set(refused(doors={"channel": "17-pulses"}, rate=other | {"channel": "17-duty"})) == {"rate"}


def test_an_output_is_not_counted() -> None:
    lamp = {"channel": "17", "direction": "output", "settings": {"active_low": True}}
    assert told(lamp=lamp, switched={"channel": "17-pulses"}) == {
        "points.lamp.direction": "channel '17' is counted by 'switched', so it cannot be an output",
        "points.switched.channel": "channel '17' is the output 'lamp': only an input can be counted",
    }
    assert set(refused(lamp=lamp, switched={"channel": "17-pulses"})) == {"switched"}


def test_a_count_is_not_sampled() -> None:
    assert told(doors={"channel": "17-pulses", "sample_rate": 100}) == {
        "points.doors.sample_rate": "channel '17-pulses' is not sampled: leave sample_rate out"
    }
