"""An output stays on and off for its least times and is switched no more often than its rate allows."""

# The dimmer names the arguments as the contract does.
# ruff: noqa: ARG002

from collections.abc import Mapping
from typing import Any

import pytest

from piio_agent.interfaces.contract import Channel, Interface, NoOptions
from piio_agent.interfaces.errors import ValueRefused
from piio_agent.outputs.messages import Became, Change, Close, Open, Policies, StopAll
from tests.agent.outputs.bench import LAMP, Bench


def test_it_stays_on_for_min_on_and_says_until_when(bench: Bench) -> None:
    bench.open(min_on=5)
    assert bench.order(1).status == "done"
    bench.step(1.25)
    assert bench.reason(0) == "min_on: it was switched on 1.2 s ago and stays on for 5 s"
    bench.step(3.74)
    assert bench.reason(0) == "min_on: it was switched on 4.9 s ago and stays on for 5 s"
    bench.step(0.01)
    assert bench.order(0).status == "done"


def test_it_stays_off_for_min_off_and_says_until_when(bench: Bench) -> None:
    bench.open(min_off=5)
    assert bench.order(1).status == bench.order(0).status == "done"
    bench.step(4.99)
    assert bench.reason(1) == "min_off: it was switched off 4.9 s ago and stays off for 5 s"
    bench.step(0.01)
    assert bench.order(1).status == "done"


def test_what_was_refused_does_not_happen_later(bench: Bench) -> None:
    bench.open(min_on=2, min_off=2, rate=2)
    bench.order(1)
    bench.reason(0)
    bench.pass_time(10, bridge=True)
    assert bench.levels() == [1]


def test_an_output_that_is_not_switched_needs_no_leave(bench: Bench) -> None:
    bench.open(min_on=5, min_off=5, rate=1)
    assert [bench.order(raw).status for raw in (0, 0, 1, 1)] == ["done"] * 4


def test_an_order_that_keeps_it_on_does_not_prolong_min_on(bench: Bench) -> None:
    bench.open(min_on=5)
    bench.order(1)
    bench.step(3)
    bench.order(1)
    bench.step(2)
    assert bench.order(0).status == "done"


def test_it_is_switched_no_more_often_than_its_rate_allows_in_any_minute(bench: Bench) -> None:
    bench.open(rate=3)
    for raw in (1, 0, 1):
        assert bench.order(raw).status == "done"
        bench.step(10)
    assert bench.reason(0) == "rate: switched 3 times in the last minute; 3 are allowed, again in 30.0 s"
    bench.step(29.99)
    assert bench.reason(0) == "rate: switched 3 times in the last minute; 3 are allowed, again in 0.1 s"
    bench.step(0.01)
    assert bench.order(0).status == "done"
    assert bench.reason(1).endswith("again in 10.0 s")


def test_a_rate_below_one_a_minute_is_one_in_as_many_minutes(bench: Bench) -> None:
    bench.open(rate=0.5)
    bench.order(1)
    bench.step(119)
    assert bench.reason(0) == "rate: switched once in the last 120 s; 1 is allowed, again in 1.0 s"
    bench.step(1)
    assert bench.order(0).status == "done"


@pytest.mark.parametrize("end", ["lease", "max_on", "stop_all"])
def test_what_makes_it_safe_heeds_neither_min_on_nor_rate_and_counts_as_a_switch(bench: Bench, end: str) -> None:
    bench.open(min_on=10, min_off=3, rate=2, lease=2, max_on=2 if end == "max_on" else None)
    bench.order(1)
    if end == "stop_all":
        bench.tell(StopAll("anna"))
    else:
        bench.pass_time(2, bridge=end == "max_on")
    assert bench.level() == 0
    assert "min_off: it was switched off 0.0 s ago" in bench.reason(1)
    bench.step(3)
    assert bench.reason(1).startswith("rate: switched 2 times")


def test_what_is_closed_and_opened_again_has_still_been_switched(bench: Bench) -> None:
    bench.open(min_on=10, min_off=3, rate=2)
    bench.order(1)
    bench.tell(Close(LAMP))
    assert bench.level() == 0
    bench.open(min_on=10, min_off=3, rate=2)
    assert "min_off: it was switched off 0.0 s ago" in bench.reason(1)
    bench.step(3)
    assert "rate" in bench.reason(1)


def test_what_was_let_go_while_it_was_on_has_not_been_on_meanwhile(bench: Bench) -> None:
    bench.open(on_lost="hold")
    bench.order(1)
    bench.tell(Close(LAMP))
    bench.step(60)
    bench.open(on_start="on", max_on=5)
    bench.pass_time(4.9, bridge=True)
    assert bench.level() == 1


def test_other_settings_that_leave_it_on_do_not_prolong_min_on(bench: Bench) -> None:
    policies = Policies(on_start="on", min_on=3, min_off=1)
    bench.tell(Open(LAMP, {}, policies))
    bench.step(3)
    bench.tell(Open(LAMP, {"bias": "pull-down"}, policies))
    assert bench.order(0).status == "done"


def test_other_settings_do_not_shorten_min_off(bench: Bench) -> None:
    bench.open(min_off=3)
    bench.order(1)
    bench.tell(Open(LAMP, {"bias": "pull-down"}, Policies(min_off=3)))
    assert bench.level() == 0
    assert "min_off" in bench.reason(1)


def test_a_crash_does_not_shorten_min_off(bench: Bench) -> None:
    bench.open(min_off=300)
    bench.order(1)
    bench.step(1)
    bench.order(0)
    bench.step(10)
    bench.start()
    bench.open(min_off=300)
    assert bench.reason(1) == "min_off: it was switched off 10.0 s ago and stays off for 300 s"


def test_what_was_on_until_a_crash_has_been_off_since_the_start_at_most(bench: Bench) -> None:
    bench.open(min_off=5)
    bench.order(1)
    bench.step(30)
    bench.start()
    bench.open(min_off=5)
    assert bench.reason(1) == "min_off: it was switched off 0.0 s ago and stays off for 5 s"


def test_an_output_that_was_never_on_may_go_on_at_once(bench: Bench) -> None:
    bench.open(min_off=5, interlock={"group": "g", "dead_time": 5})
    bench.start()
    bench.open(min_off=5, interlock={"group": "g", "dead_time": 5})
    assert bench.order(1).status == "done"


def test_policies_that_come_while_it_is_on_hold_for_what_it_did_before(bench: Bench) -> None:
    bench.open()
    bench.order(1)
    bench.step(1)
    bench.tell(Change(LAMP, Policies(min_on=3)))
    assert "switched on 1.0 s ago" in bench.reason(0)
    bench.tell(Change(LAMP, Policies()))
    assert bench.order(0).status == "done"


@pytest.mark.parametrize(
    ("policies", "pulse", "status"), [({"min_on": 2}, 2, "done"), ({"min_on": 2}, 1.99, "refused")]
)
def test_a_pulse_that_is_shorter_than_min_on_is_refused_as_a_whole(
    bench: Bench, policies: Any, pulse: float, status: str
) -> None:
    bench.open(**policies)
    outcome = bench.order(1, pulse=pulse)
    assert outcome.status == status
    bench.pass_time(3, bridge=True)
    assert bench.levels() == ([1, 0] if status == "done" else [])
    if status == "refused":
        assert outcome.reason == (
            "min_on: a pulse of 1.99 s could not end: by then it was switched on 1.9 s ago and stays on for 2 s"
        )


def test_a_pulse_off_that_is_shorter_than_min_off_is_refused_as_a_whole(bench: Bench) -> None:
    bench.open(on_start="on", min_off=2)
    assert "min_off: a pulse of 1 s could not end" in bench.reason(0, pulse=1)
    assert bench.order(0, pulse=2).status == "done"
    bench.step(2)
    assert bench.levels() == [1, 0, 1]


def test_a_pulse_whose_return_would_be_one_switch_too_many_is_refused_as_a_whole(bench: Bench) -> None:
    bench.open(rate=3)
    bench.order(1)
    bench.order(0)
    why = "rate: a pulse of 1 s could not end: by then switched 3 times in the last minute; 3 are allowed"
    assert bench.reason(1, pulse=1).startswith(why)
    assert bench.order(1, pulse=60).status == "done"
    bench.step(60)
    assert bench.levels() == [1, 0, 1, 0]


def test_a_pulse_longer_than_min_on_counts_what_it_has_been_on_already(bench: Bench) -> None:
    bench.open(min_on=5)
    bench.order(1, pulse=6)
    bench.step(4)
    assert bench.order(1, pulse=1).status == "done"
    bench.step(1)
    assert bench.levels() == [1, 0]


def test_a_refused_order_leaves_a_running_pulse_alone(bench: Bench) -> None:
    bench.open(min_on=1)
    bench.order(1, pulse=2)
    bench.reason(0)
    bench.step(2)
    assert bench.levels() == [1, 0]


class Dimmer(Interface):
    """An output that takes its time and any raw from 0 to 1."""

    name = "dimmer"

    def __init__(self, bench: Bench) -> None:
        super().__init__(NoOptions(), bench.drivers["gpio"].context)
        self._bench = bench
        self.raw = 0.0
        self.slow = 0.0

    def channels(self) -> Mapping[str, Channel]:
        return {"17": Channel("dimmer", ("output",), "analog", 0, 1)}

    def open(self, channel: str, direction: str, settings: Any, first: float | None = None) -> None:
        self.raw = first or 0.0

    def read(self, channel: str) -> float:
        return self.raw

    def write(self, channel: str, raw: float) -> None:
        if not 0 <= raw <= 1:
            raise ValueRefused("dimmer", raw, "0 to 1")
        self._bench.clock.advance(self.slow)
        self.raw = raw

    def close(self, channel: str) -> None:
        pass


@pytest.fixture
def dimmer(bench: Bench) -> Dimmer:
    made = Dimmer(bench)
    bench.drivers["gpio"] = made
    bench.start()
    return made


def test_between_two_raws_that_are_both_on_nothing_is_switched(bench: Bench, dimmer: Dimmer) -> None:
    bench.open(min_on=5, rate=1)
    assert [bench.order(raw).status for raw in (0.2, 0.9, 0.1)] == ["done"] * 3
    assert bench.order(0).rule == "min_on"
    bench.step(5)
    assert bench.order(0).rule == "rate"
    assert bench.order(0.5, pulse=1).status == "done"
    bench.step(1)
    assert dimmer.raw == 0.1


def test_least_times_and_pulses_count_from_when_a_slow_driver_has_answered(bench: Bench, dimmer: Dimmer) -> None:
    bench.open(min_on=2)
    dimmer.slow = 3
    bench.order(1)
    dimmer.slow = 0
    assert bench.order(0).reason == "min_on: it was switched on 0.0 s ago and stays on for 2 s"
    bench.step(2)
    bench.order(0)
    dimmer.slow = 3
    bench.order(0.5, pulse=2)
    dimmer.slow = 0
    bench.pass_time(1.9, bridge=True)
    assert dimmer.raw == 0.5
    bench.pass_time(0.2, bridge=True)
    assert dimmer.raw == 0
    assert bench.newest == Became(LAMP, 0.0)


def test_max_on_counts_from_when_a_slow_driver_began(bench: Bench, dimmer: Dimmer) -> None:
    bench.open(max_on=4)
    dimmer.slow = 3
    bench.order(1)
    dimmer.slow = 0
    bench.pass_time(1.05, bridge=True)
    assert (dimmer.raw, bench.newest.fail_safe) == (0, "it was on for 4 s")
