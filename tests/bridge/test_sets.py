"""A set becomes a write, and everybody learns what became of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.bridge.peers import Board, Bridge, Broker, Peer

LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}
HEATER = {"interface": "dac", "channel": "0", "direction": "output", "equation": "x / 255 * 100", "unit": "%"}


@pytest.fixture
def lamp(bridge: Bridge, board: Board, anna: Peer, configure: Callable[..., Any]) -> str:
    """The topic of an output that is off and good."""
    board.raw("gpio/17", "0")
    board.raw("dac/0", "0")
    configure({"lamp": LAMP, "heater": HEATER, "tank": {"interface": "adc", "channel": "0"}})
    anna.wait(f"piio/{board.name}/quality/lamp", b"good".__eq__)
    bridge.wait_for_plain_sets()
    return f"piio/{board.name}/value/lamp"


def outcome(anna: Peer, topic: str, payload: Any, qos: int = 0, retain: bool = False) -> Any:
    """Send a set and return its result."""
    since = anna.mark()
    anna.publish(f"{topic}/set", payload, retain, qos)
    return json.loads(anna.wait(f"{topic}/result", bool, since))


def echo(anna: Peer) -> Any:
    """Return the newest beacon of the bridge as an echo."""
    beacon = json.loads(anna.wait("piio/bridge/beacon", bool, anna.mark()))
    return {key: beacon[key] for key in ("boot", "connection", "tick")}


@pytest.mark.parametrize("payload", ["1", "1.0", "ON", "on", "true", " 1\n", '{"value": 1}', '{"value": true}',
                                     '{"value": "ON"}'])  # fmt: skip
def test_a_lamp_is_switched_on(anna: Peer, board: Board, lamp: str, payload: str) -> None:
    result = outcome(anna, lamp, payload)
    assert (result["status"], result["value"], result["raw"]) == ("done", 1, 1)
    write = board.writes[-1]
    assert (write["point"], write["value"], write["beacon"]["boot"]) == ("lamp", 1, "boot1")
    anna.wait(lamp, b"1".__eq__)


def test_toggle_becomes_an_absolute_value(anna: Peer, board: Board, lamp: str) -> None:
    assert outcome(anna, lamp, "toggle")["value"] == 1
    anna.wait(lamp, b"1".__eq__)
    assert outcome(anna, lamp, "toggle")["value"] == 0
    assert [write["value"] for write in board.writes] == [1, 0]


def test_a_value_is_turned_into_a_raw_by_the_derived_inverse(anna: Peer, board: Board, lamp: str) -> None:
    result = outcome(anna, lamp.replace("lamp", "heater"), "40")
    assert (result["status"], result["raw"], result["value"]) == ("done", 102, 40)


@pytest.mark.parametrize(
    ("point", "payload", "reason"),
    [
        ("lamp", "2", "'lamp' takes 0 or 1, not 2"),
        ("lamp", "0.5", "'lamp' takes 0 or 1, not 0.5"),
        ("heater", "101", "'heater' takes 0 to 100, not 101"),
        ("heater", "-1", "'heater' takes 0 to 100, not -1"),
        ("heater", "ON", "'heater' takes a number, not ON"),
        ("tank", "1", "'tank' is an input: it cannot be set"),
        ("atlantis", "1", "has no point 'atlantis'"),
        ("lamp", "maybe", "'maybe' is not a number"),
        ("lamp", "nan", "'nan' is not a number"),
        ("lamp", '{"value": 1, "colour": 2}', "colour"),
        ("lamp", '{"value": 1, "ttl": 60}', "ttl"),
        ("lamp", '{"value": 1, "value": 0}', "stands twice"),
        ("lamp", '{"value": "maybe"}', "maybe"),
        ("lamp", "{", "not JSON"),
        ("lamp", "[" * 1000, "is not a number"),
        ("lamp", b'{"value": 1, "id": "\xff"}', "not UTF-8"),
    ],
)
def test_what_cannot_be_done_is_refused_and_never_clamped(
    anna: Peer, board: Board, lamp: str, point: str, payload: Any, reason: str
) -> None:
    result = outcome(anna, lamp.replace("lamp", point), payload)
    assert result["status"] == "refused"
    assert reason in result["reason"]
    assert board.writes == []


def test_a_set_for_a_board_that_is_not_there_is_answered(anna: Peer, broker: Broker, lamp: str) -> None:
    listener = Peer(broker, "piio/atlantis/value/lamp/result")
    result = outcome(listener, "piio/atlantis/value/lamp", "1")
    assert (result["status"], result["reason"]) == ("refused", "there is no board 'atlantis'")
    listener.close()


def test_an_offline_board_is_told_at_once(anna: Peer, board: Board, lamp: str) -> None:
    board.publish(f"piio/{board.name}/status", "offline", retain=True)
    anna.wait(f"piio/{board.name}/quality/lamp", lambda payload: b"offline" in payload)
    result = outcome(anna, lamp, "1")
    assert (result["status"], result["reason"]) == ("refused", f"{board.name} is offline")


def test_a_retained_set_is_refused_and_cleared(anna: Peer, board: Board, lamp: str) -> None:
    result = outcome(anna, lamp, "1", retain=True)
    assert result["status"] == "refused"
    assert "retained" in result["reason"]
    anna.wait(f"{lamp}/set", b"".__eq__)
    assert board.writes == []


def test_a_retained_set_from_before_the_start_does_nothing(anna: Peer, board: Board, lamp: str, bridge: Bridge) -> None:
    bridge.kill()
    anna.publish(f"{lamp}/set", "1", retain=True)
    since = anna.mark()
    bridge.start()
    anna.wait(f"{lamp}/set", b"".__eq__, since)
    assert board.writes == []


def test_an_echo_of_a_beacon_is_taken_and_an_old_or_foreign_one_is_not(anna: Peer, board: Board, lamp: str) -> None:
    newest = echo(anna)
    assert outcome(anna, lamp, {"value": 1, "beacon": newest})["status"] == "done"
    old = {**newest, "tick": newest["tick"] - 3}
    assert outcome(anna, lamp, {"value": 0, "beacon": old})["status"] == "expired"
    foreign = {**newest, "boot": "another"}
    assert outcome(anna, lamp, {"value": 0, "beacon": foreign})["status"] == "refused"
    assert [write["value"] for write in board.writes] == [1]


def test_what_a_set_has_aged_on_its_way_to_the_bridge_is_used_up_on_its_way_to_the_board(
    anna: Peer, board: Board, lamp: str
) -> None:
    aged = echo(anna)
    aged["tick"] -= 1.4
    assert outcome(anna, lamp, {"value": 1, "beacon": aged})["status"] == "done"
    write = board.writes[-1]
    assert write["beacon"]["tick"] + write["ttl"] <= aged["tick"] + 2, "both ticks are this machine's"


def test_an_id_is_carried_out_once_and_answered_twice(anna: Peer, board: Board, lamp: str) -> None:
    first = outcome(anna, lamp, {"value": 1, "id": "a1", "by": "anna"})
    again = outcome(anna, lamp, {"value": 1, "id": "a1", "by": "anna"})
    assert first == again
    assert (first["id"], first["by"], len(board.writes)) == ("a1", "anna", 1)


def test_without_a_result_the_outcome_is_unknown_in_time(anna: Peer, board: Board, lamp: str) -> None:
    board.answering = False
    result = outcome(anna, lamp, {"value": 1, "ttl": 1.5})
    assert (result["status"], result["reason"]) == ("failed", "outcome unknown: no result came in time")


def test_the_agents_refusal_is_passed_on(anna: Peer, board: Board, lamp: str) -> None:
    board.answering = False
    since = anna.mark()
    anna.publish(f"{lamp}/set", "1", qos=0)
    write = json.loads(anna.wait(f"piio/{board.name}/raw/gpio/17/set", bool, since))
    refusal = {"id": write["id"], "status": "refused", "reason": "the door is open", "read": 0}
    anna.publish(f"piio/{board.name}/raw/gpio/17/result", refusal)
    result = json.loads(anna.wait(f"{lamp}/result", bool, since))
    assert (result["status"], result["reason"], result["value"]) == ("refused", "the door is open", 0)


def test_a_fail_safe_is_an_event_that_people_see(anna: Peer, board: Board, lamp: str) -> None:
    document = json.loads(anna.last(f"piio/{board.name}/config") or b"")
    points = {"lamp": {"ok": True, "fail_safe": "on for longer than max_on"}}
    board.say("config/applied", {"store": document["store"], "revision": 1, "boot": "boot1", "points": points})
    event = json.loads(anna.wait(f"piio/{board.name}/event/lamp"))
    assert (event["kind"], event["reason"]) == ("fail_safe", "on for longer than max_on")


def test_each_fail_safe_is_told_once_however_often_the_board_says_so(anna: Peer, board: Board, lamp: str) -> None:
    document = json.loads(anna.last(f"piio/{board.name}/config") or b"")
    envelope = {"store": document["store"], "revision": 1, "boot": "boot1"}
    first, second = ({"reason": "it was on for 2 s", "time": time} for time in (1.5, 2.5))
    told: list[Any] = [
        {"ok": True, "fail_safe": first["reason"], "last_fail_safe": first},
        {"ok": False, "error": "the cable is out", "last_fail_safe": first},
        {"ok": True, "last_fail_safe": first},
        {"ok": True, "last_fail_safe": second},  # of the same reason, and over already
    ]
    for point in told:
        board.say("config/applied", {**envelope, "points": {"lamp": point}})
    renamed = {"light": told[-1], "lamp": {"ok": True, "fail_safe": "the last"}}
    board.say("config/applied", {**envelope, "points": renamed})
    topic = f"piio/{board.name}/event/lamp"
    anna.wait(topic, lambda payload: b"the last" in payload)
    reasons = [json.loads(payload)["reason"] for payload in anna.heard_on(topic)]
    assert reasons == ["it was on for 2 s", "it was on for 2 s", "the last"]
    assert anna.heard_on(f"piio/{board.name}/event/light") == []


def test_a_fail_safe_that_was_over_before_the_bridge_began_is_not_told(
    anna: Peer, board: Board, lamp: str, bridge: Bridge
) -> None:
    document = json.loads(anna.last(f"piio/{board.name}/config") or b"")
    envelope = {"store": document["store"], "revision": 1, "boot": "boot1"}
    over, new = ({"reason": reason, "time": 1.5} for reason in ("over", "new"))
    topic = f"piio/{board.name}/event/lamp"
    board.say("config/applied", {**envelope, "points": {"lamp": {"ok": True, "last_fail_safe": over}}})
    anna.wait(topic, lambda payload: b"over" in payload)
    since = anna.mark()
    bridge.kill()
    bridge.start()
    point = {"ok": True, "fail_safe": "new", "last_fail_safe": new}
    board.say("config/applied", {**envelope, "points": {"lamp": point}})
    anna.wait(topic, lambda payload: b"new" in payload, since)
    assert len(anna.heard_on(topic, since)) == 1


def test_what_an_interlock_refused_is_an_event_that_people_see(anna: Peer, board: Board, lamp: str) -> None:
    board.answering = False
    for rule in ("min_on", "interlock"):
        since = anna.mark()
        anna.publish(f"{lamp}/set", "1", qos=0)
        write = json.loads(anna.wait(f"piio/{board.name}/raw/gpio/17/set", bool, since))
        refusal = {"id": write["id"], "status": "refused", "reason": f"{rule}: not now", "rule": rule}
        anna.publish(f"piio/{board.name}/raw/gpio/17/result", refusal)
        anna.wait(f"{lamp}/result", bool, since)
    event = json.loads(anna.wait(f"piio/{board.name}/event/lamp"))
    assert (event["kind"], event["reason"]) == ("interlock", "interlock: not now")


def test_toggles_in_a_row_alternate_before_the_first_has_come_back(anna: Peer, board: Board, lamp: str) -> None:
    board.answering = False
    for _ in range(4):
        anna.publish(f"{lamp}/set", "toggle", qos=0)
    since = anna.mark()
    anna.publish(f"{lamp}/set", "maybe", qos=0)
    anna.wait(f"{lamp}/result", lambda payload: b"maybe" in payload, since)
    topic = f"piio/{board.name}/raw/gpio/17/set"
    board.wait(topic, lambda _: len(board.heard_on(topic)) == 4)
    assert [write["value"] for write in board.writes] == [1, 0, 1, 0]


def test_an_id_used_twice_does_not_hide_what_became_of_the_first(anna: Peer, board: Board, lamp: str) -> None:
    board.answering = False
    anna.publish(f"{lamp}/set", {"value": 1, "id": "b1"}, qos=0)
    assert outcome(anna, lamp, {"value": 0, "id": "b1"})["status"] == "refused"
    topic = f"piio/{board.name}/raw/gpio/17"
    write = json.loads(board.wait(f"{topic}/set"))
    since = anna.mark()
    board.publish(f"{topic}/result", {"id": write["id"], "status": "done", "read": 1})
    assert json.loads(anna.wait(f"{lamp}/result", bool, since))["status"] == "done"
    assert outcome(anna, lamp, {"value": 1, "id": "b1"})["status"] == "done"


def test_a_result_counts_only_from_the_channel_that_was_written(anna: Peer, board: Board, lamp: str) -> None:
    board.answering = False
    since = anna.mark()
    anna.publish(f"{lamp}/set", {"value": 1, "ttl": 1.5}, qos=0)
    write = json.loads(board.wait(f"piio/{board.name}/raw/gpio/17/set"))
    board.publish(f"piio/{board.name}/raw/gpio/18/result", {"id": write["id"], "status": "done", "read": 1})
    assert json.loads(anna.wait(f"{lamp}/result", bool, since))["status"] == "failed"


def test_a_set_is_answered_though_the_board_now_offers_another_range(
    anna: Peer, board: Board, lamp: str, configure: Callable[..., Any]
) -> None:
    configure({"valve": {"interface": "dac", "channel": "0", "direction": "output", "equation": "sqrt(x)",
                         "inverse": "x * x"}, "heater": None})  # fmt: skip
    interfaces = json.loads(json.dumps(board.CAPABILITIES))
    interfaces["dac"]["channels"]["0"]["low"] = -255
    said = {"agent": board.name, "boot": "boot1", "software": "test", "board": {}, "interfaces": interfaces}
    board.say("capabilities", said)
    anna.wait(f"piio/{board.name}/capabilities", lambda payload: b"-255" in payload)
    result = outcome(anna, lamp.replace("lamp", "valve"), "4")
    assert result["status"] == "refused"
    assert "no finite value" in result["reason"]
