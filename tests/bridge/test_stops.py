"""Stops at the bridge: what was asked before one never acts after it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.bridge.peers import Board, Bridge, Peer
from tests.standstill import stopped

LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}


def passed_on(payload: bytes) -> bool:
    return b'"passed_on":true' in payload


@pytest.fixture
def lamp(bridge: Bridge, board: Board, anna: Peer, configure: Callable[..., Any]) -> str:
    """The topic of an output that is off and good."""
    board.raw("gpio/17", "0")
    configure({"lamp": LAMP})
    anna.wait(f"piio/{board.name}/quality/lamp", b"good".__eq__)
    bridge.wait_for_plain_sets()
    return f"piio/{board.name}/value/lamp"


@pytest.mark.parametrize("everywhere", [False, True], ids=["a board", "all boards"])
def test_a_stop_is_passed_on_once_behind_what_was_set_before_it(
    bridge: Bridge, anna: Peer, board: Board, lamp: str, everywhere: bool
) -> None:
    anna.connection.subscribe([("piio/stop", 1)])
    topic = "piio/stop" if everywhere else f"piio/{board.name}/stop"
    since = anna.mark()
    with stopped(bridge.process.pid):
        anna.publish(f"{lamp}/set", "1", qos=0)
        anna.publish(topic, {"by": "anna"})
        anna.wait(topic, bool, since)
    told = json.loads(anna.wait(topic, passed_on, since))
    assert told == {"by": "anna", "passed_on": True}
    heard = [message.topic for message in anna._heard[since:]]
    assert heard.index(f"piio/{board.name}/raw/gpio/17/set") < len(heard) - 1 - heard[::-1].index(topic)
    anna.publish(f"{lamp}/set", "0", qos=0)
    anna.wait(f"{lamp}/result", lambda payload: json.loads(payload)["raw"] == 0, since)
    assert len(anna.heard_on(topic, since)) == 2


def test_a_retained_stop_is_cleared_and_not_passed_on(anna: Peer, board: Board, lamp: str) -> None:
    topic, since = f"piio/{board.name}/stop", anna.mark()
    anna.publish(topic, {"by": "anna"}, retain=True)
    anna.wait(topic, b"".__eq__, since)
    anna.publish(f"{lamp}/set", "1", qos=0)
    anna.wait(f"{lamp}/result", bool, since)
    assert not [payload for payload in anna.heard_on(topic, since) if passed_on(payload)]
