"""Readings survive an outage: what nobody may have heard comes afterwards, with the times at which it was read."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from piio_agent import late as late_module
from piio_agent.backlog import Backlog
from piio_agent.channel import ChannelId
from piio_agent.clock import ManualClock
from piio_schemas.beacons import BridgeBeacon
from piio_schemas.documents import encode
from tests.agent.conftest import Broker, Desk, Running

DOOR = {"door": {"interface": "gpio", "channel": "5"}}
LATE = "late/gpio/5"


class FastBridge:
    """Beacons of a bridge that can change its boot and its time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def beat_until(self, topic: str, boot: str = "bridge", ahead: float = 0.0, since: int = 0) -> Any:
        """Beat until a document is heard on a topic of the agent, and return it."""
        for tick in range(60):
            beacon = BridgeBeacon(boot, 1, float(tick), 1.0, 1, time.time() + ahead)
            self._desk._connection.publish("piio/bridge/beacon", encode(beacon))
            try:
                return self._desk.wait_json(topic, bool, since, timeout=0.25)
            except AssertionError:
                continue
        raise AssertionError(f"nothing on {topic}")


@pytest.fixture
def agent(broker: Broker, make_desk: Callable[[Broker], Desk], start_at: Callable[..., Running]) -> Running:
    """An agent at a broker that may be restarted, with a door that is in the history."""
    desk = make_desk(broker)
    running = start_at(broker)
    desk.configure(points=DOOR)
    desk.wait_for("raw/gpio/5", "0")
    return running


def turn(running: Running, *levels: int, channel: str = "5") -> list[float]:
    """Turn the door, or another channel, without a broker; returns when the agent had noted each."""
    times = []
    for level in levels:
        before = len(running.agent.backlog)
        running.agent.inputs["gpio"].simulate(channel, level)
        until = time.monotonic() + 3
        while len(running.agent.backlog) == before:
            assert time.monotonic() < until, "the agent did not note it"
            time.sleep(0.005)
        times.append(time.time())
    return times


def test_what_was_read_without_a_broker_comes_late_with_the_times_of_the_bridge(
    agent: Running, broker: Broker, make_desk: Callable[[Broker], Desk]
) -> None:
    broker.stop()
    times = turn(agent, 1, 0, 1)
    broker.restart()
    desk = make_desk(broker)
    desk.wait_for("beacon")
    assert desk.raws("gpio/5") == ["1"], "live is only what is"
    told = FastBridge(desk).beat_until(LATE, ahead=3600)
    raws = [raw for _, raw in told]
    assert raws == [0, 1, 0, 1, None]
    assert [at - 3600 for at, _ in told[1:-1]] == pytest.approx(times, abs=0.2)
    assert told[-1][0] - 3600 == pytest.approx(time.time(), abs=1), "what it was is vouched for until now"
    assert not any(message.retained for message in desk.heard if "/late/" in message.topic)


def test_what_a_bridge_that_was_away_did_not_hear_comes_late_too(agent: Running, broker: Broker,
    make_desk: Callable[[Broker], Desk]) -> None:  # fmt: skip
    desk = make_desk(broker)
    bridge = FastBridge(desk)
    bridge.beat_until(LATE)  # all of before
    since = desk.now()
    turn(agent, 1, 0)
    told = bridge.beat_until(LATE, boot="another", since=since)
    assert [raw for _, raw in told][-3:] == [1, 0, None]


def test_beacons_during_the_delivery_let_nothing_go_that_still_waits_for_its_turn(
    agent: Running, broker: Broker, make_desk: Callable[[Broker], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_module, "PACE", 0.8)
    monkeypatch.setattr(late_module, "MARGIN", 0.0)
    desk = make_desk(broker)
    desk.configure(2, DOOR | {"window": {"interface": "gpio", "channel": "6"}})
    desk.wait_for("raw/gpio/6", "0")
    broker.stop()
    for channel in ("5", "6"):
        turn(agent, 1, 0, 1, channel=channel)
    broker.restart()
    desk = make_desk(broker)
    bridge = FastBridge(desk)
    told = [bridge.beat_until(f"late/gpio/{channel}") for channel in ("5", "6")]
    assert [[raw for _, raw in each] for each in told] == [[0, 1, 0, 1, None]] * 2


def test_a_board_that_keeps_many_readings_asks_more_often_what_has_arrived(
    agent: Running, broker: Broker, make_desk: Callable[[Broker], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_module, "MANY", 5)
    monkeypatch.setattr(late_module, "MARGIN", 0.0)
    desk = make_desk(broker)
    bridge = FastBridge(desk)
    bridge.beat_until(LATE)
    since = desk.now()
    for said in range(1, 4):  # without outputs it beacons every ten seconds
        turn(agent, *[1, 0] * 5)
        desk.beacon()
        desk.wait(lambda _, said=said: [topic for topic, _ in desk.lines(since)].count("beacon") >= said, since, 3)
    until = time.monotonic() + 3
    while len(agent.agent.backlog) > 5:
        assert time.monotonic() < until, "what has arrived is kept"
        desk.beacon()
        time.sleep(0.02)


def test_a_channel_that_has_failed_is_not_vouched_for_and_one_without_history_not_kept() -> None:
    clock, door, other = ManualClock(), ChannelId("gpio", "5"), ChannelId("gpio", "6")
    backlog = Backlog(clock)
    backlog.keep_only({door})
    for id, raw in ((door, None), (door, 1.0), (door, None), (door, None), (other, 1.0), (door, 0.0)):
        clock.advance(1)
        backlog.note(id, raw)
    assert backlog.of(door, 99, 10) == [(2, 1.0), (3, None), (6, 0.0)]
    assert backlog.channels == [door]


def test_what_has_arrived_is_let_go_but_for_what_the_channel_was_until_then() -> None:
    clock, door = ManualClock(), ChannelId("gpio", "5")
    backlog = Backlog(clock)
    backlog.keep_only({door})
    for raw in range(5):
        clock.advance(1)
        backlog.note(door, float(raw))
    backlog.arrived(3.5)
    assert backlog.of(door, 4.5, 10) == [(3, 2.0), (4, 3.0)]
    assert len(backlog) == 3


def test_of_too_many_the_oldest_of_the_busiest_channel_go_and_are_counted() -> None:
    clock, busy, quiet = ManualClock(), ChannelId("adc", "0"), ChannelId("gpio", "5")
    backlog = Backlog(clock, most=10)
    backlog.keep_only({busy, quiet})
    backlog.note(quiet, 1.0)
    for raw in range(30):
        clock.advance(1)
        backlog.note(busy, float(raw))
    assert backlog.of(quiet, 99, 10) == [(0, 1.0)]
    assert [raw for _, raw in backlog.of(busy, 99, 10)] == [float(raw) for raw in range(21, 30)]
    assert (len(backlog), backlog.dropped) == (10, 21)
