"""Stop-all: every output goes where it is safe, and stays there until somebody orders it anew."""

from piio_agent.outputs.messages import Became, Open, Policies, StopAll
from piio_schemas.states import FailSafe
from tests.agent.outputs.bench import FAN, LAMP, VALVE, Bench


def test_every_output_goes_where_it_is_safe_and_says_who_stopped_it(bench: Bench) -> None:
    bench.open(LAMP)
    bench.open(FAN, on_lost="hold", min_on=60, rate=1)
    bench.open(VALVE, on_lost="on")
    bench.order(1, LAMP)
    bench.order(1, FAN)
    bench.reports.clear()
    bench.tell(StopAll("anna"))
    assert [bench.level(channel) for channel in (LAMP, FAN, VALVE)] == [0, 0, 1]
    why = "stopped by anna"
    last = FailSafe(why, bench.clock.unix())
    assert bench.reports == [Became(LAMP, 0, why, last), Became(FAN, 0, why, last), Became(VALVE, 1, why, last)]


def test_it_stays_there_whatever_the_bridge_says_until_a_new_order(bench: Bench) -> None:
    bench.open(on_start="on", lease=2)
    bench.tell(StopAll("anna"))
    bench.pass_time(5, bridge=True)
    bench.pass_time(5)
    bench.tell(Open(LAMP, {"bias": "pull-down"}, Policies(on_start="on")))
    assert (bench.level(), bench.newest.fail_safe) == (0, "stopped by anna")
    assert bench.order(1).status == "done"
    assert bench.newest.fail_safe is None


def test_it_ends_pulses_for_good(bench: Bench) -> None:
    bench.open(on_start="on")
    bench.order(0, pulse=1)
    bench.tell(StopAll("anna"))
    bench.pass_time(2, bridge=True)
    assert bench.levels() == [1, 0]


def test_an_output_whose_driver_fails_is_off_as_soon_as_it_can_be(bench: Bench) -> None:
    bench.open()
    bench.order(1)
    bench.board.fault("gpio", "17", "the cable is out")
    bench.tell(StopAll("anna"))
    bench.pass_time(3, bridge=True)
    bench.board.heal("gpio", "17")
    bench.pass_time(5.1, bridge=True)
    assert (bench.level(), bench.newest.fail_safe) == (0, "stopped by anna")


def test_what_is_safe_on_comes_on_only_if_its_group_is_free(bench: Bench) -> None:
    for channel, point in ((LAMP, "a"), (VALVE, "b")):
        bench.open(channel, point, on_lost="on", interlock={"group": "g"})
    bench.tell(StopAll("anna"))
    assert [bench.level(channel) for channel in (LAMP, VALVE)] == [1, 0]
    assert bench.newest.fail_safe == "stopped by anna; interlock 'g': 'a' is on"
