"""At most one output of a group is on, across interfaces, and each is off for its dead time before the next goes on."""

import threading
from typing import Any

import pytest

from piio_agent.channel import ChannelId
from piio_agent.outputs.forbidden import Interlocked
from piio_agent.outputs.interlocks import Interlocks
from piio_agent.outputs.messages import Became, Broken, Change, Close, Open, Policies, Stop
from piio_schemas.configuration import Interlock
from tests.agent.outputs.bench import FAN, LAMP, VALVE, Bench

MOTOR = {"group": "motor", "dead_time": 1}


@pytest.fixture
def bench(bench: Bench) -> Bench:
    """Two pumps of one group at different interfaces."""
    bench.open(LAMP, "pump_a", interlock=MOTOR)
    bench.open(VALVE, "pump_b", interlock={"group": "motor"})
    return bench


def test_while_one_is_on_no_other_of_its_group_goes_on(bench: Bench) -> None:
    bench.open(FAN, "fan", interlock={"group": "other"})
    assert bench.order(1, LAMP).status == "done"
    assert bench.reason(1, VALVE) == "interlock 'motor': 'pump_a' is on"
    assert bench.order(1, FAN).status == "done"
    bench.pass_time(5, bridge=True)
    assert (bench.level(LAMP), bench.level(VALVE)) == (1, 0)


@pytest.mark.parametrize(("first", "second", "name"), [(LAMP, VALVE, "pump_a"), (VALVE, LAMP, "pump_b")])
def test_the_longer_dead_time_of_two_holds_whichever_comes_first(
    bench: Bench, first: ChannelId, second: ChannelId, name: str
) -> None:
    bench.order(1, first)
    bench.order(0, first)
    bench.step(0.35)
    assert bench.reason(1, second) == f"interlock 'motor': '{name}' went off 0.3 s ago; dead time is 1 s"
    bench.step(0.64)
    assert bench.reason(1, second).endswith("went off 0.9 s ago; dead time is 1 s")
    bench.step(0.01)
    assert bench.order(1, second).status == "done"


def test_its_own_dead_time_does_not_hold_an_output_back(bench: Bench) -> None:
    assert [bench.order(raw).status for raw in (1, 0, 1)] == ["done"] * 3


def test_dead_time_counts_from_the_last_of_several_that_was_on(bench: Bench) -> None:
    bench.open(FAN, "fan", interlock={"group": "motor"})
    bench.order(1, VALVE)
    bench.order(0, VALVE)
    assert bench.order(1, FAN).status == "done"
    assert bench.reason(1, LAMP) == "interlock 'motor': 'fan' is on"
    bench.order(0, FAN)
    bench.step(0.9)
    assert "dead time" in bench.reason(1, LAMP)


def test_the_dead_time_of_another_group_is_no_concern(bench: Bench) -> None:
    bench.open(FAN, "fan", interlock={"group": "other", "dead_time": 9})
    bench.order(1, FAN)
    bench.order(0, FAN)
    assert bench.order(1, LAMP).status == "done"


def test_an_order_that_the_channel_refuses_claims_nothing(bench: Bench) -> None:
    assert bench.order(0.5, LAMP).status == "refused"
    assert bench.order(1, VALVE).status == "done"


def test_one_whose_driver_failed_while_it_was_on_counts_as_on_until_it_is_known_to_be_off(bench: Bench) -> None:
    bench.order(1, LAMP)
    bench.board.fault("gpio", "17", "the cable is out")
    assert bench.order(0, LAMP).status == "failed"
    bench.pass_time(20, bridge=True)
    assert bench.reason(1, VALVE) == "interlock 'motor': 'pump_a' is on"
    bench.board.heal("gpio", "17")
    bench.pass_time(6, bridge=True)
    assert bench.order(0, LAMP).status == "done"
    assert "dead time" in bench.reason(1, VALVE)
    bench.step(1)
    assert bench.order(1, VALVE).status == "done"


def test_one_that_may_have_gone_on_counts_as_on_until_it_is_known_to_be_off(bench: Bench) -> None:
    bench.board.fault("gpio", "17", "the cable is out")
    assert bench.order(1, LAMP).status == "failed"
    assert bench.reason(1, VALVE) == "interlock 'motor': 'pump_a' is on"
    bench.board.heal("gpio", "17")
    bench.pass_time(0.3, bridge=True)
    assert "went off 0.0 s ago" in bench.reason(1, VALVE)


def test_one_that_still_reads_on_after_it_was_switched_off_counts_as_on(bench: Bench) -> None:
    settings = {"drive": "open-source"}
    bench.tell(Open(LAMP, settings, Policies(interlock=Interlock("motor")), "pump_a"))
    bench.order(1, LAMP)
    bench.board.gpio.simulate("17", 1)
    outcome = bench.order(0, LAMP)
    assert (outcome.status, outcome.read) == ("done", 1.0)
    assert bench.reason(1, VALVE) == "interlock 'motor': 'pump_a' is on"
    bench.board.gpio.simulate("17", 0)
    bench.pass_time(2, bridge=True)
    assert bench.order(1, VALVE).status == "done"


def test_one_that_reads_off_although_it_was_switched_on_counts_as_on(bench: Bench) -> None:
    shorted, ground = ChannelId("gpio", "22"), ChannelId("gpio", "27")
    bench.open(shorted, "shorted", interlock=MOTOR)
    bench.open(ground)
    assert bench.order(1, shorted).read == 0
    assert bench.reason(1, VALVE) == "interlock 'motor': 'shorted' is on"


def test_one_that_is_closed_while_its_driver_fails_lets_the_group_go(bench: Bench) -> None:
    bench.order(1, LAMP)
    bench.board.fault("gpio", "17", "the cable is out")
    bench.tell(Close(LAMP))
    assert "dead time is 1 s" in bench.reason(1, VALVE)
    bench.step(1)
    assert bench.order(1, VALVE).status == "done"


@pytest.mark.parametrize("end", [Close(LAMP), Stop()])
def test_one_that_nobody_looks_after_any_more_is_off_even_if_it_would_hold(bench: Bench, end: Any) -> None:
    bench.tell(Change(LAMP, Policies(on_lost="hold", interlock=Interlock("motor"))))
    bench.order(1, LAMP)
    bench.tell(end)
    changes = [(e.level, e.by) for e in bench.board.trace.changes("17")]
    assert changes == [(1, "output"), (0, "output")]


def test_one_that_would_return_on_at_the_start_while_another_is_on_opens_off_and_says_so(bench: Bench) -> None:
    bench.memory.kept[FAN] = 1.0
    bench.order(1, VALVE)
    bench.open(FAN, "fan", on_start="last", interlock=MOTOR)
    assert bench.levels(FAN) == []
    assert bench.newest.fail_safe == "interlock 'motor': 'pump_b' is on"
    assert bench.newest == Became(FAN, 0.0, bench.newest.fail_safe, bench.newest.last_fail_safe)
    bench.order(0, VALVE)
    bench.step(1)
    assert bench.level(FAN) == 0
    assert bench.order(1, FAN).status == "done"
    assert bench.newest.fail_safe is None


def test_one_that_returns_on_at_the_start_holds_its_group(bench: Bench) -> None:
    bench.memory.kept[FAN] = 1.0
    bench.open(FAN, "fan", on_start="last", interlock=MOTOR)
    assert bench.level(FAN) == 1
    assert bench.reason(1, LAMP) == "interlock 'motor': 'fan' is on"


def test_one_that_cannot_be_opened_on_does_not_hold_its_group(bench: Bench) -> None:
    bench.memory.kept[FAN] = 1.0
    bench.board.fault("gpio", "18", "held by somebody")
    bench.open(FAN, "fan", on_start="last", interlock=MOTOR)
    assert isinstance(bench.reports[-1], Broken)
    assert bench.order(1, VALVE).status == "done"
    bench.board.heal("gpio", "18")
    bench.pass_time(6, bridge=True)
    assert bench.level(FAN) == 0
    assert bench.newest.fail_safe == "interlock 'motor': 'pump_b' is on"


def test_a_fail_safe_that_would_go_on_while_another_is_on_goes_off_and_says_both(bench: Bench) -> None:
    bench.open(FAN, "fan", on_lost="on", lease=2, interlock=MOTOR)
    bench.order(1, VALVE)
    bench.pass_time(2.1)
    assert (bench.level(FAN), bench.levels(FAN)) == (0, [])
    assert bench.newest.fail_safe == "no sign of the bridge for 2 s; interlock 'motor': 'pump_b' is on"


def test_the_return_of_a_pulse_has_to_win_its_group_again(bench: Bench) -> None:
    bench.order(1, VALVE)
    assert bench.order(0, VALVE, pulse=3).status == "done"
    bench.step(1)
    assert bench.order(1, LAMP).status == "done"
    bench.step(2)
    assert (bench.level(LAMP), bench.level(VALVE)) == (1, 0)
    assert bench.newest.fail_safe == "interlock 'motor': 'pump_a' is on"
    bench.order(0, LAMP)
    bench.step(5)
    assert bench.level(VALVE) == 0
    assert bench.order(1, VALVE).status == "done"


def test_the_return_of_a_pulse_that_nobody_contends_is_on(bench: Bench) -> None:
    bench.order(1, VALVE)
    bench.order(0, VALVE, pulse=0.5)
    bench.step(0.5)
    assert (bench.level(VALVE), bench.newest.fail_safe) == (1, None)
    assert bench.reason(1, LAMP) == "interlock 'motor': 'pump_b' is on"


def test_two_that_are_on_when_they_become_a_group_are_not_both_on_after_it(bench: Bench) -> None:
    bench.open(FAN, "fan")
    bench.order(1, FAN)
    bench.order(1, VALVE)
    bench.tell(Change(FAN, Policies(interlock=Interlock("motor")), "fan"))
    assert (bench.level(FAN), bench.level(VALVE)) == (0, 1)
    assert bench.newest.fail_safe == "interlock 'motor': 'pump_b' is on"


def test_one_that_is_on_when_it_enters_a_group_holds_it_and_lets_the_one_before_go(bench: Bench) -> None:
    bench.order(1, VALVE)
    bench.tell(Change(VALVE, Policies(interlock=Interlock("other")), "pump_b"))
    assert bench.order(1, LAMP).status == "done"
    bench.open(FAN, "fan", interlock={"group": "other"})
    assert bench.reason(1, FAN) == "interlock 'other': 'pump_b' is on"
    bench.tell(Change(VALVE, Policies(), "pump_b"))
    assert bench.order(1, FAN).status == "done"


def test_one_that_is_on_when_it_enters_a_group_in_its_dead_time_goes_off(bench: Bench) -> None:
    bench.open(FAN, "fan")
    bench.order(1, FAN)
    bench.order(1, LAMP)
    bench.order(0, LAMP)
    bench.tell(Change(FAN, Policies(interlock=Interlock("motor")), "fan"))
    assert bench.levels(FAN) == [1, 0]
    assert bench.newest.fail_safe == "interlock 'motor': 'pump_a' went off 0.0 s ago; dead time is 1 s"


def test_a_longer_dead_time_is_no_matter_for_one_that_is_on_already(bench: Bench) -> None:
    bench.order(1, LAMP)
    bench.order(0, LAMP)
    bench.step(2)
    bench.order(1, VALVE)
    bench.tell(Change(VALVE, Policies(interlock=Interlock("motor", 60)), "pump_b"))
    assert bench.order(1, VALVE).status == "done"
    assert bench.levels(VALVE) == [1]


def test_a_renamed_output_is_called_by_its_new_name(bench: Bench) -> None:
    bench.order(1, VALVE)
    bench.tell(Change(VALVE, Policies(interlock=Interlock("motor")), "pump_c"))
    assert bench.reason(1, LAMP) == "interlock 'motor': 'pump_c' is on"


def test_a_crash_does_not_shorten_a_dead_time(bench: Bench) -> None:
    bench.order(1, VALVE, pulse=60)
    bench.start()
    bench.open(VALVE, "pump_b", interlock={"group": "motor"})
    bench.open(LAMP, "pump_a", interlock=MOTOR)
    assert bench.reason(1, LAMP) == "interlock 'motor': 'pump_b' went off 0.0 s ago; dead time is 1 s"
    bench.step(1)
    assert bench.order(1, LAMP).status == "done"


def test_a_crash_does_not_hold_back_who_was_on_before_it(bench: Bench) -> None:
    for channel, point in ((LAMP, "pump_a"), (VALVE, "pump_b")):
        bench.open(channel, point, on_start="last", interlock=MOTOR)
    bench.order(1, LAMP)
    bench.order(0, LAMP)
    bench.step(1)
    bench.order(1, VALVE)
    bench.start()
    for channel, point in ((LAMP, "pump_a"), (VALVE, "pump_b")):
        bench.open(channel, point, on_start="last", interlock=MOTOR)
    assert (bench.level(LAMP), bench.level(VALVE)) == (0, 1)


def test_of_many_that_claim_a_group_at_once_one_has_it() -> None:
    interlocks, begin = Interlocks(), threading.Barrier(16)
    won: list[int] = []

    def claim(number: int) -> None:
        begin.wait()
        try:
            interlocks.claim(ChannelId("gpio", str(number)), "x", Interlock("g"), 0.0)
        except Interlocked:
            return
        won.append(number)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
