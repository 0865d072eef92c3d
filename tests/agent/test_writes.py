"""Which writes may act."""

from typing import Any

import pytest

from piio_agent.channel import ChannelId
from piio_agent.clock import ManualClock
from piio_agent.interfaces.contract import Channel
from piio_agent.outputs.messages import Policies
from piio_agent.wanted import WantedOutput
from piio_agent.writes import Results, Situation, refusal
from piio_schemas.beacons import Echo
from piio_schemas.commands import Write, WriteResult
from piio_schemas.configuration import Configuration

FAN = Channel("PWM0", ("output",), "analog", low=0.0, high=1.0)
SITUATION = Situation(
    boot="b",
    connection=2,
    configuration=Configuration(store="s", revision=7, epoch=3),
    output=WantedOutput("fan", {}, Policies()),
    channel=FAN,
)


def write(**changes: Any) -> Write:
    fields = {"id": "1", "point": "fan", "revision": 7, "value": 0.5, "epoch": 3, "beacon": Echo("b", 2, 100.0)}
    return Write(**(fields | changes))


def test_a_fresh_write_for_what_is_in_force_may_act() -> None:
    assert refusal(write(), False, SITUATION, 101.9) is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"beacon": Echo("c", 2, 100.0)}, "refused"),
        ({"beacon": Echo("b", 1, 100.0)}, "refused"),
        ({"beacon": Echo("b", 2, 99.0)}, "expired"),
        ({"beacon": Echo("b", 2, 102.0)}, "refused"),
        ({"point": "pump"}, "refused"),
        ({"revision": 6}, "refused"),
        ({"revision": 8}, "refused"),
        ({"epoch": 2}, "refused"),
        ({"value": 1.1}, "refused"),
        ({"value": -0.1}, "refused"),
    ],
)
def test_any_other_write_may_not(changes: dict[str, Any], status: str) -> None:
    found = refusal(write(**changes), False, SITUATION, 101.5)
    assert found is not None
    assert found.status == status
    assert found.reason


def test_a_retained_write_is_refused() -> None:
    found = refusal(write(), True, SITUATION, 100.0)
    assert found is not None
    assert "retained" in found.reason


def test_what_became_of_a_write_is_remembered_for_a_minute() -> None:
    clock = ManualClock()
    results = Results(clock)
    channel = ChannelId("gpio", "17")
    assert results.begin(channel, "1")
    assert results.of(channel, "1") is None
    results.finish(channel, WriteResult(id="1", status="done"))
    clock.advance(59)
    assert not results.begin(channel, "1")
    assert results.of(channel, "1") == WriteResult(id="1", status="done")
    clock.advance(2)
    assert results.begin(channel, "1")
