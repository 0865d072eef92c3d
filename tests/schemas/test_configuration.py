"""A configuration is checked as a whole, and every fault in it is named by its path."""

from typing import Any

import pytest

from piio_schemas.configuration import ConfigurationError, InputPoint, OutputPoint, merge_patch, read_configuration
from piio_schemas.examples import CONFIGURATION

TANK = {"interface": "adc", "channel": "0"}
PUMP = {"interface": "gpio", "channel": "17", "direction": "output"}
LOCKED = {**PUMP, "interlock": {"group": "motor", "dead_time": 1}}

FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"points": {"tank": {**TANK, "period": 0}}}, "points.tank.period", "got 0"),
    ({"points": {"tank": {**TANK, "direction": "sideways"}}}, "points.tank.direction", "input or output"),
    ({"points": {"tank": {**TANK, "colour": "red"}}}, "points.tank.colour", "unknown field"),
    ({"points": {"tank": {"interface": "adc"}}}, "points.tank", "go together"),
    ({"points": {"tank": {}}}, "points.tank.equation", "computed"),
    ({"points": {"tank": 5}}, "points.tank", "got `int`"),
    ({"points": {"Tank": TANK}}, "points.Tank", "not a point's name"),
    ({"points": {"x": TANK}}, "points.x", "means something else"),
    ({"points": {"sin": TANK}}, "points.sin", "means something else"),
    ({"points": {"tank": {**TANK, "channel": "a/b"}}}, "points.tank.channel", "not a channel"),
    ({"points": {"tank": {**TANK, "interface": "A"}}}, "points.tank.interface", "not a name"),
    ({"points": []}, "points", "got list"),
    ({"points": {"pump": {**PUMP, "on_start": "blue"}}}, "points.pump.on_start", "off, on, last"),
    ({"points": {"pump": {**PUMP, "lease": 0}}}, "points.pump.lease", "got 0"),
    ({"points": {"pump": {**PUMP, "min_on": 5, "max_on": 4}}}, "points.pump.max_on", "at least min_on, 5 s, got 4"),
    ({"points": {"pump": {**PUMP, "min_off": -1}}}, "points.pump.min_off", "got -1"),
    ({"points": {"pump": {**PUMP, "rate": 0}}}, "points.pump.rate", "got 0"),
    ({"points": {"pump": {**PUMP, "rate": 6001}}}, "points.pump.rate", "got 6001"),
    ({"points": {"pump": {**PUMP, "interlock": {}}}}, "points.pump.interlock.group", "got none"),
    ({"points": {"pump": {**PUMP, "interlock": "a"}}}, "points.pump.interlock", "got `str`"),
    ({"points": {"pump": {**LOCKED, "on_start": "on"}}}, "points.pump.on_start", "wanted off, last or 0, got on"),
    ({"points": {"pump": {**LOCKED, "on_lost": 0.5}}}, "points.pump.on_lost", "wanted off, hold or 0, got 0.5"),
    ({"points": {"a": PUMP, "b": PUMP}}, "points.b.channel", "already in use by 'a'"),
    ({"points": {"a": TANK, "b": {**TANK, "settings": {"bias": "up"}}}}, "points.b.settings", "make them equal"),
    ({"displays": {"d": {"type": "Bar"}}}, "displays.d.type", 'got "Bar"'),
    ({"displays": {"d": {"type": "numeric", "place": {"x": 12}}}}, "displays.d.place.x", "got 12"),
    ({"colour": 1}, "colour", "unknown field"),
    ({"revision": -1}, "revision", "got -1"),
]


@pytest.mark.parametrize(("document", "path", "said"), FAULTS)
def test_a_fault_is_named_by_its_path(document: Any, path: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read_configuration(document)
    assert [problem.path for problem in refusal.value.problems] == [path]
    assert said in refusal.value.problems[0].message


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read_configuration({"points": {"a": {**TANK, "period": 0}, "b": 5}, "displays": {"d": {}}})
    assert [problem.path for problem in refusal.value.problems] == ["points.a.period", "points.b", "displays.d.type"]


def test_every_contradiction_of_policies_is_told_at_once() -> None:
    pump = {**LOCKED, "on_start": "on", "on_lost": "on", "min_on": 5, "max_on": 4}
    with pytest.raises(ConfigurationError) as refusal:
        read_configuration({"points": {"pump": pump, "fan": {**PUMP, "channel": "18", "min_on": 2, "max_on": 1}}})
    fields = ["pump.max_on", "pump.on_start", "pump.on_lost", "fan.max_on"]
    assert [problem.path for problem in refusal.value.problems] == [f"points.{field}" for field in fields]


@pytest.mark.parametrize(
    "policies",
    [
        {"min_on": 5, "max_on": 5, "min_off": 86400, "rate": 0.5},
        {"interlock": {"group": "motor"}, "on_start": "last", "on_lost": "hold"},
        {"interlock": {"group": "motor"}, "on_start": 0, "on_lost": 0.0},
    ],
)
def test_policies_that_agree_are_read(policies: dict[str, Any]) -> None:
    assert read_configuration({"points": {"pump": {**PUMP, **policies}}}).points


def test_the_documented_configuration_is_read_and_its_defaults_are_those_documented() -> None:
    read = read_configuration(CONFIGURATION)
    assert read.points["tank"] == InputPoint(
        interface="adc", channel="0", label="Tank level", equation="(float(x) / 1023) * 100", unit="%"
    )
    assert read.points["pump"] == OutputPoint(
        interface="gpio", channel="17", label="Pump", settings={"active_low": False}
    )


def test_a_point_that_says_no_direction_is_an_input() -> None:
    assert isinstance(read_configuration({"points": {"tank": TANK}}).points["tank"], InputPoint)


def test_several_inputs_may_read_one_channel() -> None:
    assert len(read_configuration({"points": {"a": TANK, "b": TANK}}).points) == 2


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [  # the table of RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_its_standard_says(target: Any, patch: Any, merged: Any) -> None:
    assert merge_patch(target, patch) == merged
