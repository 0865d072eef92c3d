"""`piio stop`: who has stopped is told by the boards themselves."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from piio.connection import Connection, Message

Piio = Callable[..., Any]


class Board:
    """A stand-in for a board: it obeys stops as it is told to."""

    def __init__(self, broker: Any) -> None:
        self.obeys: dict[str, Any] = {"ok": True, "fail_safe": "stopped by otto"}
        self.stops: list[Message] = []
        self._times = iter(range(1, 100))
        self.connection = Connection(broker.address("demo"), self._heard)
        self.connection.open()
        self.connection.subscribe([("piio/demo/stop", 1), ("piio/stop", 1)])
        self.apply({"ok": True})

    def apply(self, pump: dict[str, Any]) -> None:
        document = {"store": "b1946ac9", "revision": 7, "points": {"tank": {"ok": True}, "pump": pump}}
        self.connection.publish("piio/demo/config/applied", json.dumps(document), 1, retain=True)

    def _heard(self, message: Message) -> None:
        self.stops.append(message)
        last = {"reason": "stopped by otto", "time": next(self._times)}
        if self.obeys:
            self.apply({"last_fail_safe": last, **self.obeys})


@pytest.fixture
def board(broker: Any, bridge: Any) -> Any:
    board = Board(broker)
    yield board
    board.connection.close()


def test_a_board_that_stops_says_so_each_time(piio: Piio, board: Board) -> None:
    for _ in range(2):
        done = piio("stop", "demo")
        assert (done.status, done.out, done.err) == (0, "demo  stopped  1 output\n", "")
    assert json.loads(board.stops[0].payload) == {"by": "otto"}
    assert not board.stops[0].retained


def test_all_boards_are_stopped_and_those_that_are_offline_are_named(piio: Piio, board: Board, bridge: Any) -> None:
    bridge.say("piio/attic/status", "offline")
    done = piio("stop", "--all")
    assert (done.status, done.out) == (0, "demo  stopped  1 output\n")
    assert "attic is offline" in done.err and "leases" in done.err
    assert board.stops[0].topic == "piio/stop"
    assert piio("stop", "attic").status == 1
    bridge.say("piio/attic/status", "")


@pytest.mark.parametrize(
    ("obeys", "why"),
    [({}, "pump: it has not said so"), ({"ok": False, "error": "the cable is out"}, "the cable is out")],
)
def test_an_output_that_does_not_say_so_in_time_is_named(
    piio: Piio, board: Board, obeys: dict[str, Any], why: str
) -> None:
    board.obeys = obeys
    if obeys:
        board.connection.publish("piio/demo/config/applied", b"", 1, retain=True)
        board.apply(obeys)
        board.obeys = {}
    done = piio("stop", "demo", "--json")
    (told,) = json.loads(done.out)
    assert (done.status, told["done"], told["outputs"]) == (1, False, 1)
    assert why in f"pump: {told['left']['pump']}"


def test_who_may_not_is_told_so(piio: Piio, board: Board) -> None:
    done = piio("stop", "demo", user="vera")
    assert done.status == 1 and "'vera' may not stop 'demo'" in done.err
    assert not board.stops


def test_it_works_while_the_bridge_is_away(piio: Piio, board: Board, bridge: Any) -> None:
    bridge.hush()
    bridge.say("piio/bridge/status", "offline")
    assert piio("stop", "demo").status == 0


def test_which_board_must_be_said(piio: Piio, board: Board) -> None:
    assert piio("stop").status == 2
    assert not board.stops
    assert "stays there until a new set" in piio("stop", "--help").out
