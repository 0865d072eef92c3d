"""The rest of the agent was restarted and asks for what is there already: the lines go on as they were."""

from typing import Any

import pytest

from piio_agent.outputs.messages import Became, Broken, Open, Policies
from tests.agent.outputs.bench import LAMP, VALVE, Bench


def events(bench: Bench) -> list[Any]:
    return [(entry.event, entry.level) for entry in bench.board.trace.entries() if entry.channel == "17"]


@pytest.mark.parametrize("on_start", ["off", "on", "last"])
def test_a_line_that_is_held_with_these_settings_is_not_touched(bench: Bench, on_start: Any) -> None:
    bench.open(on_start="off", min_on=3)
    bench.order(1)
    before = events(bench)
    bench.reports.clear()
    bench.open(on_start=on_start, min_on=3)
    assert bench.reports == [Became(LAMP, 1.0)]
    assert events(bench) == before
    assert bench.order(0).rule == "min_on"


def test_it_follows_the_policies_that_come_along_and_keeps_its_lease(bench: Bench) -> None:
    bench.open(lease=5)
    bench.order(1)
    bench.pass_time(3)
    bench.open(lease=4, max_on=60)
    bench.pass_time(0.9)
    assert bench.level() == 1
    bench.pass_time(0.2)
    assert (bench.level(), bench.newest.fail_safe) == (0, "no sign of the bridge for 4 s")


def test_a_fail_safe_and_a_pulse_go_on(bench: Bench) -> None:
    bench.open(max_on=1)
    bench.order(1)
    bench.pass_time(1.1, bridge=True)
    bench.open(max_on=1)
    assert bench.newest.fail_safe == "it was on for 1 s"
    bench.order(1, pulse=0.5)
    bench.open(max_on=1)
    bench.pass_time(0.6, bridge=True)
    assert (bench.level(), bench.newest.fail_safe) == (0, None)


def test_one_that_cannot_be_held_is_tried_and_becomes_what_it_had_to_be(bench: Bench) -> None:
    bench.open()
    bench.order(1)
    bench.board.fault("gpio", "17", "the cable is out")
    bench.order(1)
    bench.reports.clear()
    bench.open()
    assert [type(report) for report in bench.reports] == [Broken]
    bench.board.heal("gpio", "17")
    bench.open()
    assert bench.newest == Became(LAMP, 1.0)


def test_one_that_must_not_be_on_in_its_new_group_goes_off(bench: Bench) -> None:
    bench.open(VALVE, "b", interlock={"group": "g"})
    bench.order(1, VALVE)
    bench.open()
    bench.order(1)
    bench.open(LAMP, "a", interlock={"group": "g"})
    assert (bench.level(), bench.newest.fail_safe) == (0, "interlock 'g': 'b' is on")


def test_other_settings_take_the_line_anew(bench: Bench) -> None:
    bench.open()
    bench.tell(Open(LAMP, {"active_low": True}, Policies()))
    assert events(bench)[-2:] == [("open", 1), ("", 1)]
