"""Points on channels that count, checked against what the board says of its lines."""

from typing import Any

import msgspec
import pytest

from piio_schemas.counting import MEASURES, Counting
from tests.bridge.peers import Board, Peer

GPIO = Board.CAPABILITIES["gpio"]
SETTINGS = {"properties": {"window": {"type": "number", "minimum": 0.001}, "keep": {"type": "boolean"}}}
COUNTED = GPIO | {
    "channels": {id: channel | {"edges": True, "counts": True} for id, channel in GPIO["channels"].items()},
    "counting": msgspec.to_builtins(Counting(dict(MEASURES), SETTINGS)),
}
DOORS = {"interface": "gpio", "channel": "17-pulses", "settings": {"keep": True}}
SPEED = {"interface": "gpio", "channel": "17-frequency", "settings": {"window": 0.5}, "equation": "x * 60 / 2"}
LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}


@pytest.fixture
def ask(anna: Peer, board: Board) -> Any:
    """Ask for points on a board whose lines can be counted."""
    board.say("capabilities", {"agent": board.name, "boot": "boot1", "software": "counts", "board": {},
                               "interfaces": {"gpio": COUNTED}})  # fmt: skip
    anna.wait(f"piio/{board.name}/capabilities", lambda payload: b'"software": "counts"' in payload)
    return lambda points: anna.request(f"piio/{board.name}/config/set", {"patch": {"points": points}})


def test_what_is_measured_of_a_line_is_a_channel_with_settings_of_its_own(ask: Any) -> None:
    assert ask({"doors": DOORS, "speed": SPEED, "door": {"interface": "gpio", "channel": "17"}}) == {
        "ok": True, "revision": 1, "warnings": []
    }  # fmt: skip


@pytest.mark.parametrize(
    ("points", "paths"),
    [
        ({"a": DOORS | {"channel": "17-speed"}}, {"points.a.channel"}),
        ({"a": DOORS | {"channel": "99-pulses"}}, {"points.a.channel"}),
        ({"a": DOORS | {"direction": "output"}}, {"points.a.direction"}),
        ({"a": DOORS | {"settings": {"window": 0}}}, {"points.a.settings.window"}),
        ({"a": DOORS | {"channel": "17"}}, {"points.a.settings"}),
        ({"a": DOORS | {"sample_rate": 100}}, {"points.a.sample_rate"}),
        ({"a": DOORS, "lamp": LAMP}, {"points.a.channel", "points.lamp.direction"}),
        ({"a": DOORS, "b": SPEED | {"settings": {"active_low": True}}}, {"points.a.settings", "points.b.settings"}),
    ],
)
def test_what_cannot_be_counted_is_refused_at_its_path(ask: Any, points: Any, paths: set[str]) -> None:
    answer = ask(points)
    assert {error["path"] for error in answer["errors"]} == paths


def test_a_line_that_is_counted_is_not_made_an_output_afterwards(ask: Any) -> None:
    assert ask({"doors": DOORS})["ok"]
    answer = ask({"lamp": LAMP})
    assert answer["errors"] == [
        {
            "path": "points.lamp.direction",
            "message": "channel '17' is counted by 'doors', so it cannot be an output",
        }
    ]
