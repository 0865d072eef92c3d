"""The data plane: what raws become, and how good a value is."""

from collections.abc import Sequence

import pytest

from piio_bridge.data.packets import Outgoing
from piio_bridge.data.readings import Readings
from piio_bridge.data.record import Kept, Late
from piio_schemas.beacons import Beacon
from piio_schemas.configuration import read_configuration
from piio_schemas.states import Applied, AppliedPoint

TANK = {"interface": "adc", "channel": "0", "equation": "(float(x) / 1023) * 100"}


class HandClock:
    now = 1000.0
    stepped = 0.0

    def boottime(self) -> float:
        return self.now

    def unix(self) -> float:
        return 1.7e9 + self.now + self.stepped


class Notebook:
    """What the history is told."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, int, float]] = []
        self.vouched: list[tuple[str, int, bool]] = []
        self.filled: list[tuple[str, list[Late]]] = []

    def keep(self, values: Sequence[Kept]) -> None:
        self.kept += values

    def vouch(self, _: str, point: str, t_ms: int, good: bool) -> None:
        self.vouched.append((point, t_ms, good))

    def fill(self, _: str, point: str, late: Sequence[Late]) -> None:
        self.filled.append((point, list(late)))

    def alive(self, t_ms: int) -> None:
        pass


class Plane:
    """Readings of one board called demo, with all that was published."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.notebook = Notebook()
        self.kept = self.notebook.kept
        self.readings = Readings("piio", self.clock, self.notebook)
        self.published: dict[str, str] = {}
        self.history: list[tuple[str, str]] = []

    def note(self, out: list[Outgoing]) -> None:
        for topic, payload in out:
            self.history.append((topic.decode().removeprefix("piio/demo/"), payload.decode()))
        self.published |= dict(self.history)

    def configure(self, **points: object) -> None:
        self.note(self.readings.configure("demo", read_configuration({"points": points})))

    def live(self) -> None:
        self.note(self.readings.hear_status("demo", True))
        self.beat()

    def beat(self, period: float = 1) -> None:
        self.note(self.readings.hear_beacon("demo", Beacon("boot", 1, 1, period)))

    def raw(self, channel: str, payload: str) -> None:
        self.note(self.readings.take([(f"piio/demo/raw/{channel}".encode(), payload.encode())]))

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.note(self.readings.tick())


@pytest.fixture
def plane() -> Plane:
    plane = Plane()
    plane.configure(tank=TANK)
    plane.live()
    return plane


def test_a_raw_becomes_a_good_value_by_its_equation(plane: Plane) -> None:
    plane.raw("adc/0", "512")
    assert float(plane.published["value/tank"]) == pytest.approx(512 / 1023 * 100)
    assert plane.published["quality/tank"] == "good"
    assert [row[:2] for row in plane.kept] == [("demo", "tank")]


def test_the_value_comes_before_the_word_that_it_is_good(plane: Plane) -> None:
    plane.raw("adc/0", "512")
    assert [topic for topic, _ in plane.history][-2:] == ["value/tank", "quality/tank"]


def test_every_raw_of_a_burst_becomes_a_value_in_its_order(plane: Plane) -> None:
    plane.configure(tank={"interface": "adc", "channel": "0"})
    plane.history.clear()
    plane.note(plane.readings.take([(b"piio/demo/raw/adc/0", str(n).encode()) for n in range(5)]))
    assert [payload for topic, payload in plane.history if topic == "value/tank"] == ["0", "1", "2", "3", "4"]


def test_a_result_that_is_not_finite_is_bad_and_the_last_value_stays(plane: Plane) -> None:
    plane.configure(tank={**TANK, "equation": "1 / x"})
    plane.raw("adc/0", "4")
    plane.raw("adc/0", "0")
    assert plane.published["value/tank"] == "0.25"
    assert plane.published["quality/tank"] == "bad: the equation has no finite result at x = 0"
    plane.raw("adc/0", "2")
    assert (plane.published["value/tank"], plane.published["quality/tank"]) == ("0.5", "good")


def test_a_failed_channel_is_bad_with_the_agents_reason_until_it_reads_again(plane: Plane) -> None:
    plane.raw("adc/0", "4")
    plane.raw("adc/0", "")
    assert plane.published["quality/tank"] == "bad: the channel has failed"
    plane.note(plane.readings.hear_applied("demo", Applied("s", 1, "b", {"tank": AppliedPoint(False, "SPI: EIO")})))
    assert plane.published["quality/tank"] == "bad: SPI: EIO"
    plane.raw("adc/0", "4")
    plane.note(plane.readings.hear_applied("demo", Applied("s", 1, "b", {"tank": AppliedPoint(True)})))
    assert plane.published["quality/tank"] == "good"


@pytest.mark.parametrize("payload", ["nan", "inf", "1_0", "0x1", "½", "1 2", "{}", "9" * 400])
def test_what_is_no_number_is_counted_and_changes_nothing(plane: Plane, payload: str) -> None:
    plane.raw("adc/0", "512")
    before = dict(plane.published)
    plane.raw("adc/0", payload)
    assert plane.published == before
    assert plane.readings.malformed == 1


def test_points_that_use_other_points_follow_them(plane: Plane) -> None:
    plane.configure(
        tank={"interface": "adc", "channel": "0"},
        litres={"equation": "tank * 10"},
        level={"interface": "adc", "channel": "1", "equation": "x + litres"},
    )
    plane.raw("adc/0", "3")
    plane.raw("adc/1", "5")
    assert (plane.published["value/litres"], plane.published["value/level"]) == ("30", "35")
    plane.raw("adc/0", "4")
    assert (plane.published["value/litres"], plane.published["value/level"]) == ("40", "45")


def test_what_depends_on_a_bad_point_is_bad_and_recovers_with_it(plane: Plane) -> None:
    plane.configure(tank={"interface": "adc", "channel": "0", "equation": "1/x"}, twice={"equation": "tank * 2"})
    plane.raw("adc/0", "0")
    assert plane.published["quality/twice"] == "bad: it depends on 'tank', which is bad"
    plane.raw("adc/0", "1")
    assert (plane.published["value/twice"], plane.published["quality/twice"]) == ("2", "good")


def test_what_depends_on_a_bad_point_publishes_and_keeps_no_value_made_of_its_last_one(plane: Plane) -> None:
    plane.configure(
        tank={"interface": "adc", "channel": "0", "equation": "1/x"},
        twice={"equation": "tank * 2"},
        more={"equation": "twice + 1"},
    )
    plane.raw("adc/0", "1")
    for failure in ("0", ""):
        plane.history.clear()
        plane.kept.clear()
        plane.raw("adc/0", failure)
        assert [topic for topic, _ in plane.history if topic.startswith("value/")] == []
        assert plane.kept == []
        assert plane.published["quality/more"] == "bad: it depends on 'twice', which is bad"
    plane.raw("adc/0", "4")
    assert (plane.published["value/more"], plane.published["quality/more"]) == ("1.5", "good")


def test_a_change_beside_it_does_not_make_a_bad_point_good(plane: Plane) -> None:
    tank = {"interface": "adc", "channel": "0", "equation": "1/x"}
    plane.configure(tank=tank, twice={"equation": "tank * 2"})
    plane.raw("adc/0", "1")
    plane.raw("adc/0", "0")
    plane.configure(tank={**tank, "label": "Tank"}, twice={"equation": "tank * 2"})
    assert plane.published["quality/tank"].startswith("bad: the equation has no finite result")
    assert plane.published["quality/twice"].startswith("bad")
    assert plane.published["value/twice"] == "2"


def test_nothing_is_good_before_a_beacon_is_heard_on_this_connection() -> None:
    plane = Plane()
    plane.configure(tank=TANK)
    plane.note(plane.readings.hear_status("demo", True))
    plane.raw("adc/0", "512")
    assert plane.published["quality/tank"] == "stale: no sign of life of demo yet"
    plane.beat()
    assert plane.published["quality/tank"] == "good"
    plane.readings.deafen()
    plane.wait(0)
    assert plane.published["quality/tank"].startswith("stale")


@pytest.mark.parametrize("period", [1.0, 10.0])
def test_three_missed_beacons_make_a_point_stale_and_one_makes_it_good_again(plane: Plane, period: float) -> None:
    plane.raw("adc/0", "512")
    plane.beat(period)
    plane.wait(3 * period)
    assert plane.published["quality/tank"] == "good"
    plane.wait(0.5)
    assert plane.published["quality/tank"] == "stale: three signs of life of demo are missing"
    plane.beat(period)
    assert plane.published["quality/tank"] == "good"


def test_an_offline_board_is_stale_at_once_and_keeps_its_value(plane: Plane) -> None:
    plane.raw("adc/0", "512")
    value = plane.published["value/tank"]
    plane.note(plane.readings.hear_status("demo", False))
    assert plane.published["quality/tank"] == "stale: demo is offline"
    assert plane.published["value/tank"] == value


def test_each_point_of_a_channel_has_a_deadband_of_its_own(plane: Plane) -> None:
    channel = {"interface": "adc", "channel": "0"}
    plane.configure(fine=channel, coarse={**channel, "deadband": 10})
    plane.raw("adc/0", "100")
    plane.raw("adc/0", "105")
    assert (plane.published["value/fine"], plane.published["value/coarse"]) == ("105", "100")
    plane.raw("adc/0", "111")
    assert plane.published["value/coarse"] == "111"


def test_a_clock_that_is_set_back_delays_no_minutely_repeat(plane: Plane) -> None:
    plane.configure(coarse={"interface": "adc", "channel": "0", "deadband": 10})
    plane.raw("adc/0", "100")
    plane.clock.stepped = -3600
    plane.clock.now += 60
    plane.beat()
    plane.history.clear()
    plane.raw("adc/0", "101")
    assert ("value/coarse", "101") in plane.history


def test_a_removed_point_loses_its_value_and_quality(plane: Plane) -> None:
    plane.raw("adc/0", "512")
    plane.configure()
    assert (plane.published["value/tank"], plane.published["quality/tank"]) == ("", "")


def test_another_equation_is_in_force_at_once_at_the_last_raw(plane: Plane) -> None:
    plane.raw("adc/0", "512")
    plane.configure(tank={**TANK, "equation": "x * 2"})
    assert plane.published["value/tank"] == "1024"


def test_another_equation_is_in_force_at_once_whatever_the_deadband(plane: Plane) -> None:
    plane.configure(tank={**TANK, "deadband": 10})
    plane.raw("adc/0", "512")
    plane.configure(tank={**TANK, "deadband": 10, "equation": "x * 2"})
    assert plane.published["value/tank"] == "1024"


def test_all_is_announced_to_a_broker_that_forgot_it(plane: Plane) -> None:
    plane.raw("adc/0", "1023")
    assert plane.readings.announce() == [(b"piio/demo/value/tank", b"100"), (b"piio/demo/quality/tank", b"good")]


def test_history_can_be_turned_off(plane: Plane) -> None:
    plane.configure(tank={**TANK, "history": False})
    plane.raw("adc/0", "512")
    assert plane.kept == []


def test_what_was_good_on_a_lost_connection_is_not_announced_as_good_on_the_next(plane: Plane) -> None:
    plane.raw("adc/0", "512")
    plane.readings.deafen()
    plane.note(plane.readings.announce())
    assert plane.published["quality/tank"] == "stale: no sign of life of demo yet"
    plane.beat()
    assert plane.published["quality/tank"] == "good"
