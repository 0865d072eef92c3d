"""When the bridge says that it is online: readers trust the qualities from then on."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.bridge.detour import Detour
from tests.bridge.peers import Board, Bridge, Broker, Peer

QUALITY = "piio/bench/quality/lamp"


@pytest.fixture
def lamp(tmp_path: Path) -> Iterator[tuple[Broker, Peer]]:
    """A broker at which a bridge that was killed has said that a lamp is good, and a board that is silent since."""
    broker = Broker(tmp_path)
    board, anna = Board(broker, "bench"), Peer(broker, "piio/bench/#", "piio/bridge/#")
    bridge = Bridge(broker, tmp_path)
    point = {"interface": "gpio", "channel": "17", "direction": "output"}
    anna.request("piio/bench/config/set", {"patch": {"points": {"lamp": point}}})
    board.raw("gpio/17", "1")
    anna.wait(QUALITY, lambda payload: payload == b"good")
    board.beating.clear()
    bridge.kill()
    yield broker, anna
    board.close()
    anna.close()
    broker.kill()


def test_the_broker_has_this_starts_qualities_before_it_hears_that_the_bridge_is_online(
    lamp: tuple[Broker, Peer], tmp_path: Path
) -> None:
    broker, anna = lamp
    detour = Detour(broker)
    detour.open.clear()
    mark = anna.mark()
    bridge = Bridge(cast(Broker, detour), tmp_path, leads=False)
    for _ in range(2):
        anna.wait("piio/bridge/beacon", since=anna.mark(), timeout=20)
    detour.open.set()
    anna.wait("piio/bridge/status", lambda payload: payload == b"online", since=mark)
    assert [quality.partition(b":")[0] for quality in anna.heard_on(QUALITY, mark)] == [b"stale"]
    bridge.kill()
    detour.close()
