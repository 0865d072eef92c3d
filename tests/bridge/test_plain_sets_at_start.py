"""What a bridge that has just connected takes: its broker may have been held up until a moment before."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from piio_bridge.control.freshness import CONNECTED, ON_TIME_FOR
from tests.bridge.peers import Board, Bridge, Broker, Peer

LAMP = "piio/bench/value/lamp"

PATIENCE = 15.0


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Peer]:
    """Somebody at a broker who heard a bridge start that has a lamp."""
    broker = Broker(tmp_path)
    board, anna = Board(broker, "bench"), Peer(broker, "piio/bench/#", "piio/bridge/#")
    bridge = Bridge(broker, tmp_path)
    point = {"interface": "gpio", "channel": "17", "direction": "output"}
    anna.request("piio/bench/config/set", {"patch": {"points": {"lamp": point}}})
    bridge.stop()
    mark = anna.mark()
    bridge.start()
    anna.wait("piio/bridge/beacon", since=mark)
    yield anna
    bridge.kill()
    board.close()
    anna.close()
    broker.kill()


def asked(anna: Peer, payload: Any) -> Any:
    """Send a set and return its result."""
    mark = anna.mark()
    anna.publish(f"{LAMP}/set", payload, qos=0)
    return json.loads(anna.wait(f"{LAMP}/result", since=mark))


def echo_of(anna: Peer) -> Any:
    """The newest beacon of the bridge as a set echoes it."""
    beacon = json.loads(anna.last("piio/bridge/beacon") or b"")
    return {key: beacon[key] for key in ("boot", "connection", "tick")}


def test_a_bridge_that_starts_takes_echoed_sets_at_once_and_plain_ones_after_two_seconds(started: Peer) -> None:
    first = echo_of(started)["tick"]
    until = time.monotonic() + PATIENCE
    while asked(started, {"value": 1, "beacon": echo_of(started)})["status"] != "done":
        assert time.monotonic() < until, "echoed sets are not taken"
    refused = set()
    while (result := asked(started, "0"))["status"] != "done":
        refused.add(result["reason"])
        assert time.monotonic() < until, result
    assert time.clock_gettime(time.CLOCK_BOOTTIME) - first >= ON_TIME_FOR
    assert refused <= {CONNECTED}
