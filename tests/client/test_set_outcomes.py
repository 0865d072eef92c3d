"""Every set has a known outcome, and nothing acts later than it said."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import piio
from piio.client import Client


@pytest.fixture
def client(broker: Any, bridge: Any) -> Iterator[Client]:
    """An operator."""
    with piio.connect(broker.url("otto")) as client:
        yield client


def test_a_set_that_the_board_carried_out_is_done(client: Client, bridge: Any) -> None:
    result = client.set("demo/pump", 1)
    assert result.done, result
    assert (result.value, result.raw) == (1.0, 1.0)


def test_a_set_has_an_id_and_echoes_the_newest_beacon_heard(client: Client, bridge: Any) -> None:
    client.set("demo/pump", 1, pulse=2.5, ttl=3)
    sent = bridge.sets[-1]
    assert sent["id"]
    assert (sent["value"], sent["pulse"], sent["ttl"], sent["by"]) == (1, 2.5, 3, "otto")
    assert sent["beacon"]["boot"] == "b1" and sent["beacon"]["connection"] == 1
    newest = sorted(bridge.echoes)[-3:]
    assert sent["beacon"]["tick"] in newest


def test_a_set_waits_for_a_beacon_of_a_bridge_that_has_just_come(broker: Any, bridge: Any) -> None:
    with piio.connect(broker.url()) as client:
        assert client.set("demo/pump", 1).done


def test_a_refusal_is_told_with_its_reason(client: Client, bridge: Any) -> None:
    bridge.outcome = {"status": "refused", "reason": "tank is an input"}
    result = client.set("demo/tank", 1)
    assert not result.done
    assert (result.status, result.reason) == ("refused", "tank is an input")


def test_a_set_that_nobody_answers_is_unknown_within_ttl_and_a_second(client: Client, bridge: Any) -> None:
    bridge.outcome = None
    began = time.monotonic()
    result = client.set("demo/pump", 1, ttl=1.5)
    assert result.status == "failed" and "outcome unknown" in result.reason
    assert time.monotonic() - began < 3.2


def test_an_answer_to_somebody_elses_set_is_not_taken_for_ours(client: Client, bridge: Any) -> None:
    bridge.outcome = {"id": "another", "status": "done"}
    assert "outcome unknown" in client.set("demo/pump", 1, ttl=1.5).reason


def test_nothing_is_sent_while_the_bridge_is_offline(client: Client, bridge: Any) -> None:
    bridge.say("piio/bridge/status", "offline")
    began = time.monotonic()
    bridge.hush()
    _until(lambda: "offline" in client.set("demo/pump", 1).reason)
    told = len(bridge.sets)
    assert "offline" in client.set("demo/pump", 1).reason
    assert len(bridge.sets) == told
    assert time.monotonic() - began < 5


def test_nothing_is_sent_to_a_bridge_that_is_not_heard(broker: Any, bridge: Any) -> None:
    bridge.hush()
    with piio.connect(broker.url()) as client:
        result = client.set("demo/pump", 1)
    assert result.status == "failed" and "not heard" in result.reason
    assert bridge.sets == []


def test_a_viewer_is_told_that_it_may_not_set(broker: Any, bridge: Any) -> None:
    with piio.connect(broker.url("vera")) as client:
        result = client.set("demo/pump", 1)
    assert result.status == "refused"
    assert "not allowed" in result.reason and "vera" in result.reason
    assert bridge.sets == []


def test_a_link_that_breaks_with_the_set_on_it_leaves_the_outcome_unknown(client: Client, bridge: Any) -> None:
    session = client._session
    assert session is not None
    bridge.outcome = None
    bridge.on_set = lambda: session.connection.abandon("the cable was pulled")
    began = time.monotonic()
    result = client.set("demo/pump", 1, ttl=5)
    assert result.status == "failed" and "outcome unknown" in result.reason
    assert time.monotonic() - began < 2


def test_a_client_comes_back_by_itself_and_sets_with_a_beacon_of_the_new_connection(
    client: Client, bridge: Any
) -> None:
    session = client._session
    assert session is not None
    session.connection.abandon("the cable was pulled")
    _until(lambda: not session.connection.connected)
    _until(lambda: client.connected)
    assert client.set("demo/pump", 1).done


def test_nothing_is_sent_later_that_was_set_while_the_broker_was_away(client: Client, bridge: Any) -> None:
    session = client._session
    assert session is not None
    session.connection.abandon("the cable was pulled")
    _until(lambda: not session.connection.connected)
    result = client.set("demo/pump", 1)
    if result.status == "failed":  # unless it was back at once
        assert "nothing was sent" in result.reason
        _until(lambda: client.connected)
        assert bridge.sets == []


def test_a_timeout_bounds_the_whole_set_and_its_ttl(client: Client, bridge: Any) -> None:
    bridge.outcome = None
    client.hear_bridge()
    began = time.monotonic()
    assert not client.set("demo/pump", 1, ttl=5, timeout=2.5).done
    assert time.monotonic() - began < 2.8
    _until(lambda: bridge.sets)
    assert bridge.sets[-1]["ttl"] <= 2.5


def test_threads_set_at_once_and_each_gets_its_own_result(client: Client, bridge: Any) -> None:
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(client.set("demo/pump", 1))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(result.id for result in results) == sorted(sent["id"] for sent in bridge.sets)
    assert all(result.done for result in results)


@pytest.mark.parametrize(
    ("value", "options"),
    [(float("nan"), {}), (float("inf"), {}), ("open", {}), (1, {"ttl": 9}), (1, {"ttl": 0.1}), (1, {"pulse": -1})],
)
def test_what_nobody_could_carry_out_is_refused_here(client: Client, bridge: Any, value: Any, options: Any) -> None:
    with pytest.raises(ValueError, match=r"value|ttl|pulse"):
        client.set("demo/pump", value, **options)
    assert bridge.sets == []


def _until(condition: Callable[[], bool], within: float = 8.0) -> None:
    end = time.monotonic() + within
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.02)
