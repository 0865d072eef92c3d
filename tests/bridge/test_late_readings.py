"""What was read while nobody heard it: history afterwards, never a value of now; and where nothing is known, a gap."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from piio_bridge.data.late import LateReadings
from piio_bridge.store.configurations import POINTS
from piio_bridge.store.database import open_database
from piio_bridge.store.history import History
from tests.bridge.peers import Board, Bridge, Peer
from tests.bridge.test_readings import Plane

TANK = {"interface": "adc", "channel": "0", "equation": "x * 2"}
LATE = "piio/demo/late/adc/0"


@pytest.fixture
def history(database: str) -> Iterator[History]:
    with History(open_database(database)) as opened:
        yield opened


def gaps(history: History) -> list[tuple[float, float]]:
    history.flush()
    return history.gaps("demo", "tank", 0, 2e9, 0)


def test_a_point_is_vouched_for_until_the_last_sign_of_life_and_again_from_its_first_reading_on() -> None:
    plane = Plane()
    plane.configure(tank=TANK)
    plane.live()
    plane.raw("adc/0", "5")
    plane.beat()
    last = int(plane.clock.unix() * 1000)
    plane.notebook.vouched.clear()
    plane.wait(3.5)
    assert plane.notebook.vouched == [("tank", last, False)]
    plane.clock.now += 60
    plane.raw("adc/0", "6")
    read = int(plane.clock.unix() * 1000)
    plane.clock.now += 0.5
    plane.beat()
    assert plane.notebook.vouched[1:] == [("tank", read, True)]


def test_late_readings_become_values_of_points_of_that_channel_alone_and_are_not_published() -> None:
    plane = Plane()
    plane.configure(
        tank=TANK, root={**TANK, "equation": "sqrt(x)"}, sum={**TANK, "equation": "x + tank"},
        unkept={**TANK, "history": False}, raw={**TANK, "equation": None},
    )  # fmt: skip
    published = len(plane.history)
    late = LateReadings(plane.readings, plane.notebook, "piio")
    late.take(LATE, b"[[1700000000, 4], [1700000001.5, -1], [1700000002, null]]")
    at = (1700000000_000, 1700000001_500, 1700000002_000)
    assert dict(plane.notebook.filled) == {
        "tank": [(at[0], 8.0), (at[1], -2.0), (at[2], None)],
        "root": [(at[0], 2.0), (at[1], None), (at[2], None)],
        "raw": [(at[0], 4.0), (at[1], -1.0), (at[2], None)],
    }
    assert len(plane.history) == published


@pytest.mark.parametrize("payload", ["", "1", "[1]", "[[1,2,3]]", "[[1700000000,1e999]]", "[[2,1]]", '[["a",1]]',
    "[[1700000001,1],[1700000000,1]]", "[[1700000000,true]]", "\x00"])  # fmt: skip
def test_what_are_no_late_readings_is_counted_and_changes_nothing(payload: str) -> None:
    plane = Plane()
    plane.configure(tank=TANK)
    LateReadings(plane.readings, plane.notebook, "piio").take(LATE, payload.encode())
    assert (plane.readings.malformed, plane.notebook.filled) == (1, [])


def test_late_values_fill_gaps_once_and_nothing_else(history: History) -> None:
    history.vouch("demo", "tank", 1_000_000, True)
    assert gaps(history) == []
    history.keep([("demo", "tank", 1_000_000, 1.0)])
    history.vouch("demo", "tank", 1_010_000, False)
    history.vouch("demo", "tank", 1_100_000, True)
    assert gaps(history) == [(1010, 1100)]
    late = [(1_005_000, 2.0), (1_020_000, 3.0), (1_040_000, None), (1_060_000, 4.0), (1_105_000, 5.0)]
    for _ in range(2):
        history.fill("demo", "tank", late)
        assert gaps(history) == [(1040, 1060)], "where nobody knew it, there is still a gap"
        buckets = history.buckets("demo", "tank", 0, 2000, 2000)
        assert [bucket[:2] for bucket in buckets] == [(1000, 1.0), (1020, 3.0), (1060, 4.0)]


def test_a_gap_that_goes_on_is_filled_as_far_as_is_known(history: History) -> None:
    now = int(time.time() * 1000)
    history.vouch("demo", "tank", now - 60_000, False)
    history.fill("demo", "tank", [(now - 70_000, 1.0), (now - 20_000, 2.0), (now - 10_000, None)])
    assert [begin for begin, _ in gaps(history)] == [(now - 10_000) / 1000]
    history.vouch("demo", "tank", now - 5_000, True)
    assert gaps(history) == [((now - 10_000) / 1000, (now - 5_000) / 1000)]


def test_while_no_bridge_was_there_nobody_vouched_for_anything(history: History) -> None:
    now = int(time.time() * 1000)
    history.keep([("demo", "tank", now - 500_000, 1.0)])
    history.flush()
    history.begin_term()
    history.vouch("demo", "tank", now + 100, False)
    history.vouch("demo", "tank", now + 2_000, True)
    assert gaps(history) == [((now - 500_000) / 1000, (now + 2_000) / 1000)]


def test_late_values_that_wait_for_the_disk_are_bounded_and_the_oldest_go(tmp_path: Path) -> None:
    history = History(open_database(f"sqlite:///{tmp_path}/history.db"))  # nobody writes
    for number in range(250):
        history.fill("demo", f"p{number}", [(1, 1.0)] * 1000)
    assert history.dropped == 50_000
    for number in range(210_000):
        history.vouch("demo", "tank", number, False)
    assert history.dropped == 60_000


def test_an_outage_is_a_gap_until_the_board_tells_what_it_read(
    board: Board, anna: Peer, configure: Callable[..., Any], bridge: Bridge
) -> None:
    configure({"tank": TANK})
    name = board.name
    start = time.time() - 60

    def history() -> Any:
        wanted = {"point": "tank", "start": start, "end": start + 300, "buckets": 1000}
        return anna.request(f"piio/{name}/request/history", wanted)

    board.raw("adc/0", "10")
    anna.wait(f"piio/{name}/quality/tank", b"good".__eq__)
    since = anna.mark()
    board.beating.clear()
    cut = time.time()
    anna.wait(f"piio/{name}/quality/tank", lambda quality: quality.startswith(b"stale"), since)
    board.beating.set()
    since = anna.mark()
    anna.wait(f"piio/{name}/quality/tank", b"good".__eq__, since)
    ((begin, end),) = history()["gaps"]
    assert begin == pytest.approx(cut, abs=0.5)
    assert 3 < end - begin < 5
    late = [[cut - 1, 10], [cut + 1.5, 11], [cut + 2.5, 12], [time.time(), None]]
    board.publish(f"piio/{name}/late/adc/0", json.dumps([[0, 1]]))
    board.publish(f"piio/{name}/late/adc/0", json.dumps(late))
    bridge.wait_logged("neither number, beacon, block nor late readings")
    until = time.monotonic() + 5
    while (answer := history())["gaps"]:
        assert time.monotonic() < until, answer
    assert [bucket[3] for bucket in answer["buckets"]][-3:] == [20, 22, 24]
    assert b"22" not in anna.heard_on(f"piio/{name}/value/tank")
    board.publish(f"piio/{name}/late/adc/0", json.dumps(late))
    board.raw("adc/0", "15")
    anna.wait(f"piio/{name}/value/tank", b"30".__eq__)
    assert [bucket[3] for bucket in history()["buckets"]][-4:] == [20, 22, 24, 30]


def test_a_board_that_is_forgotten_takes_its_gaps_along(history: History) -> None:
    history.vouch("demo", "tank", 1_000_000, False)
    history.flush()
    with history._engine.begin() as transaction:
        transaction.execute(POINTS.delete().where(POINTS.c.agent == "demo"))
    assert gaps(history) == []
