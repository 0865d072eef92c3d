"""What outputs do by themselves, on a simulated board whose clock is turned by hand."""

from typing import Any

import msgspec
import pytest

from piio_agent.outputs import messages
from piio_agent.outputs.messages import (
    Became,
    Broken,
    Change,
    Close,
    Closed,
    Heard,
    Open,
    Order,
    Outcome,
    Policies,
    Stop,
    StopAll,
)
from piio_schemas.configuration import Interlock
from piio_schemas.states import FailSafe
from tests.agent.outputs.bench import FAN, LAMP, Bench


@pytest.mark.parametrize(("on_start", "level"), [("off", 0), ("on", 1), (1.0, 1), (0, 0), ("last", 0)])
def test_an_output_takes_its_first_value_in_the_request_that_opens_it(bench: Bench, on_start: Any, level: int) -> None:
    bench.open(on_start=on_start)
    entries = [(e.event, e.level) for e in bench.board.trace.entries() if e.channel == "17"]
    assert entries[0] == ("open", level)
    assert bench.reports == [Became(LAMP, float(level))]


def test_an_output_that_starts_as_it_was_does_not_click(bench: Bench) -> None:
    bench.memory.kept[LAMP] = 1.0
    bench.open(on_start="last")
    assert bench.levels() == [1]


def test_an_order_is_done_and_says_what_the_pin_reads_back(bench: Bench) -> None:
    bench.open()
    outcome = bench.order(1)
    assert (outcome.status, outcome.read, bench.level()) == ("done", 1.0, 1)
    assert bench.reports[-2:] == [Became(LAMP, 1.0), outcome]


def test_an_order_that_waited_too_long_does_not_act(bench: Bench) -> None:
    bench.open()
    assert bench.order(1, ttl=-0.1).status == "expired"
    assert bench.level() == 0


@pytest.mark.parametrize(("on_lost", "level"), [("off", 0), ("on", 1), ("hold", 1), (1.0, 1), (0.0, 0)])
def test_an_output_whose_bridge_is_gone_becomes_what_its_policy_says(bench: Bench, on_lost: Any, level: int) -> None:
    bench.open(on_lost=on_lost, lease=3)
    bench.order(1)
    bench.pass_time(10, bridge=True)
    assert bench.level() == 1
    bench.pass_time(2.9)
    assert bench.level() == 1
    bench.pass_time(0.2)
    assert bench.level() == level
    assert bench.newest.fail_safe == (None if level else "no sign of the bridge for 3 s")


def test_a_lease_runs_from_the_opening_though_no_bridge_was_ever_heard(bench: Bench) -> None:
    bench.open(on_start="on", lease=2)
    bench.pass_time(2.05)
    assert bench.level() == 0


def test_a_fail_safe_stays_when_the_bridge_is_back_until_a_new_order(bench: Bench) -> None:
    bench.open(on_lost="off", lease=2)
    bench.order(1)
    bench.pass_time(2.1)
    bench.pass_time(5, bridge=True)
    assert (bench.level(), bench.newest.fail_safe) == (0, "no sign of the bridge for 2 s")
    bench.order(1)
    assert (bench.level(), bench.newest.fail_safe) == (1, None)


def test_a_fail_safe_is_not_undone_by_the_loss_of_the_bridge(bench: Bench) -> None:
    bench.open(on_lost="on", lease=3, max_on=1)
    bench.order(1)
    bench.pass_time(10)
    assert bench.levels() == [1, 0]


def test_a_policy_that_the_channel_cannot_take_switches_it_off(bench: Bench) -> None:
    bench.open(on_lost=0.5, lease=2)
    bench.order(1)
    bench.pass_time(3)
    assert bench.levels() == [1, 0]
    assert bench.newest.fail_safe


def test_settings_that_a_line_cannot_have_leave_it_safe(bench: Bench) -> None:
    bench.open()
    bench.order(1)
    bench.tell(Open(LAMP, {"pull": "up"}, Policies()))
    assert isinstance(bench.reports[-1], Broken)
    assert [e.event for e in bench.board.trace.entries() if e.channel == "17"] == ["open", "", "", "close"]


def test_an_order_while_the_bridge_is_lost_holds_for_one_lease(bench: Bench) -> None:
    bench.open(lease=2)
    bench.pass_time(5)
    bench.order(1)
    bench.pass_time(1.9)
    assert bench.level() == 1
    bench.pass_time(0.2)
    assert bench.level() == 0


def test_an_output_is_on_for_no_longer_than_max_on_however_often_it_is_ordered(bench: Bench) -> None:
    bench.open(max_on=5)
    for _ in range(4):
        bench.order(1)
        bench.pass_time(1, bridge=True)
    assert bench.level() == 1
    bench.pass_time(1.05, bridge=True)
    assert (bench.level(), bench.newest.fail_safe) == (0, "it was on for 5 s")
    bench.order(1)
    bench.pass_time(4.9, bridge=True)
    assert bench.level() == 1


def test_max_on_that_is_configured_while_it_is_on_counts_from_when_it_went_on(bench: Bench) -> None:
    bench.open()
    bench.order(1)
    bench.pass_time(4, bridge=True)
    bench.tell(Change(LAMP, Policies(max_on=5)))
    assert bench.level() == 1
    bench.pass_time(1.05, bridge=True)
    assert bench.level() == 0
    assert bench.levels() == [1, 0]


def test_a_pulse_returns_to_the_value_before(bench: Bench) -> None:
    bench.open()
    bench.order(1, pulse=0.5)
    bench.pass_time(0.45, bridge=True)
    assert bench.level() == 1
    bench.pass_time(0.1, bridge=True)
    assert bench.level() == 0
    assert bench.newest == Became(LAMP, 0.0)


def test_a_new_order_replaces_a_running_pulse(bench: Bench) -> None:
    bench.open()
    bench.order(1, pulse=0.5)
    bench.order(1)
    bench.pass_time(2, bridge=True)
    assert bench.level() == 1


def test_a_pulse_on_a_pulse_returns_to_the_value_before_both(bench: Bench) -> None:
    bench.open()
    bench.order(1, pulse=0.5)
    bench.pass_time(0.3, bridge=True)
    bench.order(1, pulse=0.5)
    bench.pass_time(0.4, bridge=True)
    assert bench.level() == 1
    bench.pass_time(0.2, bridge=True)
    assert bench.level() == 0


def test_a_pulse_of_the_value_it_has_leaves_it_there(bench: Bench) -> None:
    bench.open()
    bench.order(1)
    bench.order(1, pulse=0.5)
    bench.pass_time(1, bridge=True)
    assert bench.levels() == [1]


def test_a_fail_safe_ends_a_running_pulse(bench: Bench) -> None:
    bench.open(on_start="on", lease=2)
    bench.order(0, pulse=3)
    bench.pass_time(5)
    assert bench.level() == 0
    assert bench.levels() == [1, 0]


def test_a_restart_during_a_pulse_returns_to_the_value_before_it(bench: Bench) -> None:
    bench.open(on_start="last")
    bench.order(1, pulse=10)
    assert bench.memory.kept == {LAMP: 0.0}


def test_what_an_output_is_stays_young_in_memory_without_wearing_the_card(bench: Bench) -> None:
    bench.open(on_start="last")
    bench.open(FAN)
    bench.order(1, FAN)
    before = bench.memory.saves
    bench.pass_time(60, bridge=True)
    assert bench.memory.saves - before == 3
    assert bench.memory.kept == {LAMP: 0.0}


def test_when_nothing_is_to_be_remembered_any_more_nothing_is_due(bench: Bench) -> None:
    bench.open(on_start="last")
    bench.tell(Close(LAMP))
    assert [engine.due() for engine in bench.engines.values()] == [None, None]


def test_an_output_that_cannot_be_opened_is_tried_again_and_leaves_its_neighbour_alone(bench: Bench) -> None:
    bench.board.fault("gpio", "17", "held by somebody")
    bench.open(on_start="on")
    bench.open(FAN)
    assert bench.order(1, FAN).status == "done"
    assert bench.order(1).status == "failed"
    broken = [r for r in bench.reports if isinstance(r, Broken)]
    assert "held by somebody" in broken[0].error
    bench.pass_time(12, bridge=True)
    assert len([r for r in bench.reports if isinstance(r, Broken)]) < 10
    bench.board.heal("gpio", "17")
    bench.pass_time(5.1, bridge=True)
    assert bench.newest == Became(LAMP, 1.0)
    assert bench.level() == 1


def test_a_fail_safe_that_the_hardware_refuses_is_done_as_soon_as_it_can(bench: Bench) -> None:
    bench.open(lease=2)
    bench.order(1)
    bench.board.fault("gpio", "17", "the cable is out")
    bench.pass_time(3)
    assert isinstance(bench.reports[-1], Broken)
    bench.board.heal("gpio", "17")
    bench.pass_time(5.1)
    assert bench.level() == 0
    assert bench.newest.fail_safe == "no sign of the bridge for 2 s"


def test_what_the_channel_refuses_changes_nothing(bench: Bench) -> None:
    bench.open()
    bench.order(1)
    outcome = bench.order(0.5)
    assert outcome.status == "refused"
    assert bench.level() == 1
    assert not [r for r in bench.reports if isinstance(r, Broken)]


def test_what_is_let_go_is_left_where_it_is_safe(bench: Bench) -> None:
    bench.open()
    bench.open(FAN, on_lost="hold")
    bench.order(1)
    bench.order(1, FAN)
    bench.tell(Close(LAMP))
    bench.tell(Stop())
    events = {id: [e.event for e in bench.board.trace.entries() if e.channel == id] for id in ("17", "18")}
    # Driven off and then let go; what holds falls only because nobody drives it any more.
    assert events == {"17": ["open", "", "", "close"], "18": ["open", "", "close", ""]}
    assert [r for r in bench.reports if isinstance(r, Closed)] == [Closed(LAMP), Closed(FAN)]


def test_another_line_with_other_settings_takes_its_first_value_again(bench: Bench) -> None:
    bench.open()
    bench.order(1)
    bench.tell(Open(LAMP, {"active_low": True}, Policies()))
    assert bench.newest == Became(LAMP, 0.0)
    assert bench.level() == 1


def test_other_settings_do_not_end_a_fail_safe(bench: Bench) -> None:
    bench.open(on_start="on", max_on=2)
    bench.pass_time(3, bridge=True)
    bench.tell(Open(LAMP, {"bias": "pull-down"}, Policies(on_start="on", max_on=2)))
    assert bench.level() == 0
    assert bench.newest.fail_safe == "it was on for 2 s"
    assert bench.newest.last_fail_safe and bench.newest.last_fail_safe.reason == "it was on for 2 s"
    assert bench.order(1).status == "done"
    assert bench.level() == 1


def test_another_on_lost_holds_for_an_output_whose_bridge_is_lost_already(bench: Bench) -> None:
    bench.open(on_lost="hold", lease=2)
    bench.order(1)
    bench.pass_time(5)
    assert bench.level() == 1
    bench.tell(Change(LAMP, Policies(on_lost="off", lease=2)))
    bench.pass_time(0.1)
    assert bench.level() == 0


def test_an_order_that_cannot_be_read_back_has_failed_and_leaves_nothing_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.open()
    with monkeypatch.context() as broken:
        broken.setattr(bench.gpio, "read", _cannot_be_read)
        assert bench.order(1, pulse=1).status == "failed"
    bench.pass_time(1, bridge=True)
    assert bench.level() == 0
    assert bench.newest == Became(LAMP, 0.0)


def _cannot_be_read(_: str) -> float:
    raise OSError("the cable is out")


@pytest.mark.parametrize("union", [messages.Message, messages.Report])
def test_every_message_can_cross_a_pipe(union: Any) -> None:
    decoder = msgspec.json.Decoder(union)
    policies = Policies("last", 0.5, 3, 1, 1, 1, 6, Interlock("motor", 0.5))
    order = Order("1", LAMP, 1, 2)
    examples: list[Any] = [Open(LAMP, {"a": 1}, policies, "lamp"), order, Stop(), Heard(), StopAll("anna", (order,))]
    if union is messages.Report:
        refused = Outcome("1", LAMP, "refused", "x", rule="rate")
        examples = [Became(LAMP, 1, "x", FailSafe("x", 1)), Broken(LAMP, "y"), Closed(LAMP), refused]
        examples.append(Outcome("2", LAMP, "done", read=1.0, became=Became(LAMP, 1.0)))
    for example in examples:
        assert decoder.decode(msgspec.json.encode(example)) == example


def test_an_output_that_nobody_moves_is_missed_when_its_board_goes_and_taken_as_it_was_when_it_is_back(
    bench: Bench,
) -> None:
    bench.open(on_lost="hold")
    bench.order(1)
    bench.reports.clear()
    bench.board.fault("gpio", "17", "the chip has gone")
    bench.pass_time(3, bridge=True)
    assert {report.error for report in bench.reports if isinstance(report, Broken)} == {"GPIO17: the chip has gone"}
    bench.board.heal("gpio", "17")
    bench.pass_time(6, bridge=True)
    assert [report.raw for report in bench.reports if isinstance(report, Became)] == [1]
