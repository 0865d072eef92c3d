"""How old a set can be, told by the bridge's own beacons."""

import pytest

from piio_bridge.control.freshness import CONNECTED, HELD, Freshness
from piio_schemas.beacons import Echo


@pytest.fixture
def fresh() -> Freshness:
    """A bridge that has been connected for ten seconds, with every beacon back within 10 ms; it is t = 10."""
    freshness = Freshness(epoch=1)
    freshness.connected()
    for second in range(11):
        freshness.heard(freshness.beacon(float(second), 0.0), second + 0.01)
    return freshness


def test_a_plain_set_acts_while_beacons_come_back_in_time(fresh: Freshness) -> None:
    assert fresh.judge_plain(2.0, 10.5) is None


def test_a_plain_set_is_refused_before_the_first_beacon_came_back() -> None:
    freshness = Freshness(epoch=1)
    freshness.connected()
    assert freshness.judge_plain(2.0, 0.1) == ("refused", CONNECTED)


@pytest.mark.parametrize("first", [True, False], ids=["the first", "another one"])
def test_a_plain_set_is_refused_for_two_seconds_on_a_new_connection_whose_broker_may_have_been_held_up(
    first: bool,
) -> None:
    freshness = Freshness(epoch=1)
    if not first:
        freshness.connected()
    freshness.connected()
    for second in (20.0, 21.0, 22.0):
        freshness.heard(freshness.beacon(second, 0.0), second + 0.01)
    assert freshness.judge_plain(2.0, 21.9) == ("refused", CONNECTED)
    assert freshness.judge_plain(2.0, 22.1) is None


def test_a_first_beacon_that_is_late_shows_a_broker_that_was_held_up() -> None:
    freshness = Freshness(epoch=1)
    freshness.connected()
    freshness.heard(freshness.beacon(0.0, 0.0), 1.5)
    freshness.heard(freshness.beacon(2.0, 0.0), 2.01)
    assert freshness.judge_plain(2.0, 3.4) == ("refused", HELD)
    assert freshness.judge_plain(2.0, 3.6) is None


def test_a_broker_that_is_held_up_while_a_connection_is_new_is_waited_for_once_more() -> None:
    freshness = Freshness(epoch=1)
    freshness.connected()
    freshness.heard(freshness.beacon(0.0, 0.0), 0.01)
    freshness.heard(freshness.beacon(1.0, 0.0), 2.5)
    freshness.heard(freshness.beacon(3.0, 0.0), 3.01)
    assert freshness.judge_plain(2.0, 4.4) == ("refused", HELD)
    assert freshness.judge_plain(2.0, 4.6) is None


def test_a_plain_set_is_expired_when_the_last_beacon_heard_is_older_than_its_ttl(fresh: Freshness) -> None:
    verdict = fresh.judge_plain(1.5, 11.6)
    assert verdict is not None
    assert verdict[0] == "expired"


def test_after_a_held_up_broker_plain_sets_wait_for_two_good_seconds(fresh: Freshness) -> None:
    held = fresh.beacon(11.0, 0.0)
    fresh.heard(held, 13.6)
    assert fresh.judge_plain(5.0, 13.6) is not None
    for second in (14.0, 15.0):
        fresh.heard(fresh.beacon(second, 0.0), second + 0.01)
    verdict = fresh.judge_plain(2.0, 15.5)
    assert verdict is not None
    assert verdict[0] == "refused"
    assert fresh.judge_plain(2.0, 15.7) is None


def test_a_beacon_that_is_out_for_over_a_second_holds_plain_sets_up(fresh: Freshness) -> None:
    fresh.beacon(11.0, 0.0)
    verdict = fresh.judge_plain(5.0, 12.1)
    assert verdict is not None
    assert verdict[0] == "refused"


@pytest.mark.parametrize(
    ("tick", "now", "status"),
    [(10.0, 11.9, None), (10.0, 12.1, "expired"), (99.0, 12.0, "refused")],
    ids=["young", "too old", "of the future"],
)
def test_a_set_with_an_echo_is_judged_by_its_own_age(
    fresh: Freshness, tick: float, now: float, status: str | None
) -> None:
    verdict = fresh.judge_echo(Echo(fresh.boot, 1, tick), 2.0, now)
    assert (verdict and verdict[0]) == status


def test_an_echo_of_another_start_or_connection_is_refused(fresh: Freshness) -> None:
    for echo in (Echo("other", 1, 10.0), Echo(fresh.boot, 2, 10.0)):
        verdict = fresh.judge_echo(echo, 2.0, 10.1)
        assert verdict is not None
        assert verdict[0] == "refused"


def test_an_echoed_set_may_act_while_plain_ones_are_held_up(fresh: Freshness) -> None:
    fresh.heard(fresh.beacon(11.0, 0.0), 12.5)
    assert fresh.judge_plain(2.0, 12.6) is not None
    assert fresh.judge_echo(Echo(fresh.boot, 1, 11.0), 2.0, 12.6) is None


def test_plain_sets_are_refused_for_as_long_as_a_beacon_is_behind_much_else(fresh: Freshness) -> None:
    for second in range(11, 60):
        assert fresh.judge_plain(2.0, second + 2.9) is not None
