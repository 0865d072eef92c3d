"""A script reads points, watches them change, and never takes a stale value for a good one."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import piio
import piio.connection
from piio.client import Client
from piio.errors import NotConnected, NotKnown
from piio.reading import Reading


@pytest.fixture
def client(broker: Any, bridge: Any) -> Iterator[Client]:
    """A viewer: reading needs no more."""
    with piio.connect(broker.url("vera")) as client:
        yield client


def test_a_point_is_read_with_its_quality_and_unit(client: Client) -> None:
    reading = client.read("demo/tank")
    assert (reading.value, reading.quality, reading.unit, reading.label) == (62.5, "good", "%", "Tank level")
    assert reading.good


def test_boards_come_with_all_their_points(client: Client) -> None:
    client.read("demo/tank")  # from here on nothing waits for a beacon
    board = next(board for board in client.boards() if board.name == "demo")
    assert board.online and board.model == "a simulated board" and board.revision == 7
    assert list(board.points) == ["tank", "pump"]
    assert board.points["pump"].value == 0


def test_a_point_that_has_just_been_configured_is_waited_for(client: Client, bridge: Any) -> None:
    configuration = client.configuration("demo")
    configuration["points"]["level"] = {"equation": "tank / 2"}
    bridge.say("piio/demo/config", json.dumps(configuration))
    timer = threading.Timer(0.3, lambda: bridge.say("piio/demo/quality/level", "good"))
    bridge.say("piio/demo/value/level", "31.25")
    timer.start()
    assert client.read("demo/level").good
    bridge.say("piio/demo/value/level", "")
    bridge.say("piio/demo/quality/level", "")


def test_without_a_url_the_environment_says_where_the_broker_is(
    broker: Any, bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIIO_URL", broker.url("vera"))
    with piio.connect() as client:
        assert client.read("demo/tank").good


@pytest.mark.parametrize("name", ["demo/tnk", "dmo/tank", "demo", "demo/x", "bridge/status", "demo/tank/set", "#/+"])
def test_a_point_that_is_not_there_is_said(client: Client, name: str) -> None:
    with pytest.raises(NotKnown):
        client.read(name)


def test_a_missing_point_is_told_with_those_there_are(client: Client) -> None:
    with pytest.raises(NotKnown, match="it has tank, pump"):
        client.read("demo/tnk")


def test_what_is_bad_keeps_its_last_value(client: Client, bridge: Any) -> None:
    bridge.say("piio/demo/quality/tank", "bad: division by zero")
    reading = _first(client, lambda reading: reading.quality.startswith("bad"))
    assert (reading.value, reading.quality, reading.good) == (62.5, "bad: division by zero", False)


def test_everything_is_stale_while_the_bridge_is_offline(client: Client, bridge: Any) -> None:
    bridge.say("piio/bridge/status", "offline")
    reading = _first(client, lambda reading: not reading.good)
    assert reading.quality == "stale: the bridge is offline"
    assert {point.quality for point in client.board("demo").points.values()} == {reading.quality}


def test_everything_is_stale_when_a_bridge_that_says_online_is_not_heard(client: Client, bridge: Any) -> None:
    with client.watch("demo/tank") as watch:
        assert next(watch).good
        bridge.hush()
        reading = watch.next_within(6)
        assert reading is not None and "has not been heard" in reading.quality
        bridge.speak()
        reading = watch.next_within(3)
        assert reading is not None and reading.good


def test_a_bridge_that_says_online_but_is_not_heard_vouches_for_nothing(broker: Any, bridge: Any) -> None:
    bridge.hush()
    with piio.connect(broker.url("vera")) as client:
        reading = client.read("demo/tank")
        assert reading.value == 62.5 and "has not been heard" in reading.quality
        bridge.speak()
        _first(client, lambda reading: reading.good)


def test_a_watch_tells_the_present_first_and_then_each_change(client: Client, bridge: Any) -> None:
    with client.watch("demo/tank") as watch:
        assert next(watch).value == 62.5
        for value in (63, 64, 65):
            bridge.say("piio/demo/value/tank", str(value))
        assert [next(watch).value for _ in range(3)] == [63, 64, 65]


def test_a_watch_hears_every_board_and_point_that_a_plus_stands_for(client: Client, bridge: Any) -> None:
    with client.watch("demo") as watch:
        assert {next(watch).name, next(watch).name} == {"demo/tank", "demo/pump"}
        assert watch.next_within(0.1) is None
    with client.watch("+/pump") as watch:
        assert next(watch).name == "demo/pump"


def test_a_watch_lives_through_a_lost_connection_and_says_so(client: Client, bridge: Any) -> None:
    session = client._session
    assert session is not None
    with client.watch("demo/tank") as watch:
        assert next(watch).good
        session.connection.abandon("the cable was pulled")
        seen = [watch.next_within(5), watch.next_within(5)]
        assert [reading.quality if reading else None for reading in seen] == [
            "stale: not connected to the broker",
            "good",
        ]
        bridge.say("piio/demo/value/tank", "70")
        reading = watch.next_within(5)
        assert reading is not None and reading.value == 70


def test_a_watch_is_closed_from_another_thread(client: Client) -> None:
    watch = client.watch("demo/tank")
    next(watch)
    threading.Timer(0.2, watch.close).start()
    began = time.monotonic()
    assert list(watch) == []
    assert time.monotonic() - began < 2


def test_who_watches_holds_a_lease_so_that_the_board_reads_often(broker: Any, client: Client) -> None:
    heard: list[Any] = []
    arrived = threading.Event()

    def hear(message: Any) -> None:
        heard.append((message.topic, message.payload))
        arrived.set()

    with piio.connection.Connection(broker.address("demo"), hear) as agent:
        agent.subscribe([("piio/demo/viewers/+", 0)])
        with client.watch("demo/tank") as watch:
            next(watch)
            assert arrived.wait(5)
    assert heard[0] == ("piio/demo/viewers/vera", b'{"seconds":15.0}')


def test_a_slow_reader_loses_the_oldest_and_is_told_how_many(client: Client, monkeypatch: Any) -> None:
    with client.watch("demo/tank") as watch:
        watch.offer(
            Reading(board="demo", point="tank", value=float(number), quality="good") for number in range(10_010)
        )
        assert watch.dropped == 11  # the present one was the first to go


def test_a_broker_that_is_not_there_is_named(broker: Any) -> None:
    with pytest.raises(NotConnected, match=r"127\.0\.0\.1:1"):
        piio.connect("mqtt://otto:x@127.0.0.1:1")


def test_a_wrong_password_is_told_without_the_password(broker: Any) -> None:
    with pytest.raises(NotConnected, match="refused 'otto'") as refusal:
        piio.connect(f"mqtt://otto:guessed@127.0.0.1:{broker.port}")
    assert "guessed" not in str(refusal.value)


def _first(client: Client, wanted: Callable[[Reading], bool]) -> Reading:
    with client.watch("demo/tank") as watch:
        end = time.monotonic() + 8
        while time.monotonic() < end:
            reading = watch.next_within(1)
            if reading and wanted(reading):
                return reading
    raise AssertionError("it was never told")
