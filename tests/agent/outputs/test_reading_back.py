"""What an output reads, though nobody moves it, and whatever its driver calls a number."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from piio_agent.outputs.messages import Became
from tests.agent.outputs.bench import LAMP, VALVE, Bench


class OddFloat(float):
    """A number as packages for numbers have them: a float, and not one."""


@pytest.fixture
def pin(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the driver reads from now on, as soon as it says `reads`."""
    read, pin = bench.gpio.read, dict[str, Any]()
    monkeypatch.setattr(bench.gpio, "read", lambda channel: pin["reads"] if pin else read(channel))
    return pin


def test_an_output_that_reads_otherwise_than_it_did_is_told_once_and_not_driven(bench: Bench, pin: Any) -> None:
    bench.open()
    bench.order(1)
    bench.reports.clear()
    pin["reads"] = 0.0
    bench.pass_time(20, bridge=True)
    assert bench.reports == [Became(LAMP, 0.0)]
    pin["reads"] = 1.0
    bench.pass_time(3, bridge=True)
    assert bench.reports == [Became(LAMP, 0.0), Became(LAMP, 1.0)]
    assert bench.levels() == [1]


def test_a_reading_that_is_rounded_is_no_news(bench: Bench, pin: Any) -> None:
    pin["reads"] = 0.998
    bench.open(on_start="on")
    assert bench.newest == Became(LAMP, 0.998)
    bench.reports.clear()
    bench.pass_time(5, bridge=True)
    assert bench.reports == []


def test_one_that_was_given_on_keeps_its_group_though_it_reads_off(bench: Bench, pin: Any) -> None:
    for channel in (LAMP, VALVE):
        bench.open(channel, channel.channel, interlock={"group": "g"})
    bench.order(1)
    pin["reads"] = 0.0
    bench.pass_time(3, bridge=True)
    assert bench.reason(1, VALVE) == "interlock 'g': '17' is on"


def test_one_that_still_reads_on_keeps_its_group_until_it_reads_off(bench: Bench, pin: Any) -> None:
    for channel in (LAMP, VALVE):
        bench.open(channel, channel.channel, interlock={"group": "g"})
    bench.order(1)
    pin["reads"] = 1.0
    assert bench.order(0).read == 1.0
    bench.pass_time(3, bridge=True)
    assert bench.reason(1, VALVE) == "interlock 'g': '17' is on"
    pin["reads"] = 0.0
    bench.pass_time(3, bridge=True)
    assert bench.newest == Became(LAMP, 0.0)
    assert bench.order(1, VALVE).status == "done"


@pytest.mark.parametrize("one", [OddFloat(1), 1, True, Decimal(1)])
def test_what_a_driver_reads_is_a_plain_float_to_everybody_else(bench: Bench, pin: Any, one: Any) -> None:
    bench.open()
    pin["reads"] = one
    outcome = bench.order(1)
    assert (outcome.status, type(outcome.read), outcome.read) == ("done", float, 1.0)
    pin["reads"] = type(one)(0)
    bench.pass_time(3, bridge=True)
    assert (type(bench.newest.raw), bench.newest.raw) == (float, 0.0)
    assert msgspec.json.encode(bench.newest)


@pytest.mark.parametrize("nothing", [None, "dark", float("nan"), float("inf"), pytest.param(10**400, id="huge"), [1]])
def test_what_is_no_number_is_not_believed(bench: Bench, pin: Any, nothing: Any) -> None:
    bench.open()
    pin["reads"] = nothing
    outcome = bench.order(1)
    assert (outcome.status, outcome.read) == ("done", 1.0)
    bench.reports.clear()
    bench.pass_time(5, bridge=True)
    assert bench.reports == []
