"""What reaches a busy bridge together is told in the order in which it came true."""

from collections.abc import Callable
from typing import Any

from tests.bridge.peers import Board, Bridge, Peer
from tests.standstill import stopped


def test_a_sign_of_life_and_a_first_reading_at_once_leave_the_point_good(
    bridge: Bridge, board: Board, anna: Peer, configure: Callable[..., Any]
) -> None:
    board.beating.clear()
    configure({"level": {"interface": "adc", "channel": "2"}})
    topic = f"piio/{board.name}"
    anna.publish(f"{topic}/beacon", _beacon(board, period=0.05), qos=0)
    anna.wait(f"{topic}/quality/level", lambda payload: b"signs of life" in payload)
    with stopped(bridge.process.pid):
        anna.publish(f"{topic}/beacon", _beacon(board, period=10), qos=0)
        anna.publish(f"{topic}/raw/adc/2", "7", retain=True, qos=0)
        anna.wait(f"{topic}/raw/adc/2", b"7".__eq__)
    anna.wait(f"{topic}/value/level", b"7".__eq__)
    # Once this has come, so has all that was said before it.
    anna.publish(f"{topic}/raw/adc/2", "8", retain=True, qos=0)
    anna.wait(f"{topic}/value/level", b"8".__eq__)
    assert anna.last(f"{topic}/quality/level") == b"good"


def _beacon(board: Board, period: float) -> dict[str, Any]:
    return {"boot": board.boot, "connection": 1, "tick": 1.0, "period": period}
