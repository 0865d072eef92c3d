"""A forgotten board leaves nothing behind, and what was under way for it hinders nobody."""

from collections.abc import Callable
from typing import Any

from tests.bridge.peers import Board, Peer


def test_a_board_is_forgotten_with_a_value_that_waits_to_be_kept(
    anna: Peer, board: Board, configure: Callable[..., Any]
) -> None:
    configure({"tank": {"interface": "adc", "channel": "0"}})
    board.raw("adc/0", "1")
    anna.wait(f"piio/{board.name}/value/tank", b"1".__eq__)
    assert anna.request(f"piio/{board.name}/request/history", {"point": "tank"})["buckets"]
    board.publish(f"piio/{board.name}/status", "offline", retain=True)
    anna.wait(f"piio/{board.name}/quality/tank", lambda payload: payload.startswith(b"stale"))
    board.raw("adc/0", "2")
    anna.wait(f"piio/{board.name}/value/tank", b"2".__eq__)
    assert anna.request(f"piio/{board.name}/request/forget", {}) == {"ok": True}
    board.close()
