"""Outputs, from a write to the pin and back."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from piio_agent.settings import SIMULATED
from piio_schemas.beacons import Echo
from piio_schemas.documents import encode
from tests.standstill import stopped

Start = Callable[..., Any]

LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}


def trace(folder: Path, name: str) -> list[dict[str, Any]]:
    """The recorded truth about an agent's simulated board."""
    lines = (folder / "agents" / name / "trace.jsonl").read_text().splitlines()
    return [msgspec.json.decode(line) for line in lines]


def levels(folder: Path, name: str, channel: str = "17") -> list[int]:
    """Every level that a line had, in order."""
    return [e["level"] for e in trace(folder, name) if e["channel"] == channel and not e.get("event")]


@pytest.fixture
def lamp(desk: Any, start: Start) -> Any:
    """An agent with one output that is in force, and a bridge that is there."""
    running = start()
    desk.be_the_bridge()
    desk.configure(points={"lamp": LAMP})
    assert desk.wait_applied(1) == {"lamp": {"ok": True}}
    return running


def test_a_write_is_done_and_its_raw_is_published_before_its_result(desk: Any, lamp: Any) -> None:
    since = desk.now()
    result = desk.write("gpio/17", 1)
    assert (result.status, result.read) == ("done", 1.0)
    topics = [topic for topic, _ in desk.lines(since) if topic.startswith("raw/gpio/17")]
    assert topics == ["raw/gpio/17/set", "raw/gpio/17", "raw/gpio/17/result"]
    assert desk.raws("gpio/17") == ["0", "1"]


def test_the_same_write_again_acts_once_and_is_answered_alike(desk: Any, lamp: Any, tmp_path: Path) -> None:
    first = desk.write("gpio/17", 1, id="once")
    assert desk.write("gpio/17", 0).status == "done"
    assert desk.write("gpio/17", 1, id="once") == first
    assert levels(tmp_path, desk.agent) == [1, 0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"revision": 2}, "revision 1 is in force"),
        ({"epoch": 2}, "epoch 1 is in force"),
        ({"point": "pump"}, "'pump' is not an output on this channel"),
        ({"value": 2}, "it takes 0 or 1"),
        ({"value": 0.5}, "it takes 0 or 1"),
    ],
)
def test_a_write_that_does_not_fit_is_refused_and_says_why(
    desk: Any, lamp: Any, change: dict[str, Any], why: str
) -> None:
    value = change.pop("value", 1)
    result = desk.write("gpio/17", value, **change)
    assert result.status == "refused"
    assert why in result.reason
    assert desk.raws("gpio/17") == ["0"]


def test_a_write_must_echo_a_fresh_beacon_of_this_very_connection(desk: Any, lamp: Any) -> None:
    beacon = desk.newest_beacon()
    old = Echo(beacon.boot, beacon.connection, beacon.tick - 3)
    assert desk.write("gpio/17", 1, beacon=old).status == "expired"
    assert desk.write("gpio/17", 1, beacon=old, ttl=5.0).status == "done"
    assert desk.write("gpio/17", 0, beacon=Echo("else", 1, beacon.tick)).status == "refused"
    assert desk.write("gpio/17", 0, beacon=Echo(beacon.boot, 2, beacon.tick)).status == "refused"
    assert desk.write("gpio/17", 0, beacon=Echo(beacon.boot, 1, beacon.tick + 60)).status == "refused"
    assert desk.raws("gpio/17") == ["0", "1"]


def test_what_is_no_write_is_refused_by_its_id_or_counted(desk: Any, lamp: Any) -> None:
    desk.publish("raw/gpio/17/set", "1")
    desk.publish("raw/gpio/17/set", '{"id": "half", "value": 1}')
    found = desk.wait_json("raw/gpio/17/result", lambda d: d["id"] == "half")
    assert found["status"] == "refused"
    assert lamp.agent.complaints.count == 1


def test_an_output_goes_where_it_is_safe_when_the_bridge_is_gone_and_stays_until_a_new_write(
    desk: Any, lamp: Any
) -> None:
    desk.configure(2, {"lamp": LAMP | {"lease": 2}})
    desk.wait_applied(2)
    assert desk.write("gpio/17", 1, revision=2).status == "done"
    desk.hush()
    silent = time.monotonic()
    desk.wait_for("raw/gpio/17", "0", since=desk.now(), timeout=6)
    assert 1.4 < time.monotonic() - silent < 3.5
    told = desk.wait_point("lamp", lambda p: p.get("fail_safe"))
    assert told["fail_safe"] == "no sign of the bridge for 2 s"
    desk.be_the_bridge()
    since = desk.now()
    assert desk.write("gpio/17", 1, revision=2).status == "done"
    over = desk.wait_point("lamp", lambda p: p["ok"] and "fail_safe" not in p, since)
    assert over["last_fail_safe"]["reason"] == told["fail_safe"]


def test_policies_change_in_place_and_a_renamed_point_does_not_touch_its_line(
    desk: Any, lamp: Any, tmp_path: Path
) -> None:
    desk.write("gpio/17", 1)
    desk.configure(2, {"light": LAMP | {"lease": 5, "max_on": 60, "label": "Light", "unit": "V"}})
    assert desk.wait_applied(2) == {"light": {"ok": True}}
    assert desk.write("gpio/17", 1, point="light", revision=2).status == "done"
    assert levels(tmp_path, desk.agent) == [1]
    assert [e["event"] for e in trace(tmp_path, desk.agent) if e.get("event")] == ["open"]


def test_a_line_that_changes_its_direction_is_closed_before_it_is_opened(desk: Any, lamp: Any, tmp_path: Path) -> None:
    desk.write("gpio/17", 1)
    desk.configure(2, {"button": {"interface": "gpio", "channel": "17"}})
    assert desk.wait_applied(2) == {"button": {"ok": True}}
    desk.configure(3, {"lamp": LAMP})
    assert desk.wait_applied(3) == {"lamp": {"ok": True}}
    events = [(e["event"], e["direction"]) for e in trace(tmp_path, desk.agent) if e.get("event")]
    both = ["output", "input", "input", "output"]
    assert events == list(zip(["open", "close", "open", "close", "open"], ["output", *both], strict=True))
    assert levels(tmp_path, desk.agent) == [1, 0]


def test_what_is_let_go_is_closed_before_anything_else_is_opened(desk: Any, start: Start, tmp_path: Path) -> None:
    start()
    button = {"interface": "gpio", "channel": "5"}
    desk.configure(1, {"button": button})
    desk.wait_applied(1)
    desk.configure(2, {"lamp": LAMP})
    assert desk.wait_applied(2) == {"lamp": {"ok": True}}
    events = [(e["event"], e["channel"]) for e in trace(tmp_path, desk.agent) if e.get("event")]
    assert events == [("open", "5"), ("close", "5"), ("open", "17")]
    assert not [p for t, p in desk.lines() if t == "config/applied" and "being opened" in p]


def test_what_was_written_to_an_agent_that_stood_still_does_not_act_late(
    desk: Any, spawn: Start, tmp_path: Path
) -> None:
    desk.be_the_bridge()
    desk.configure(points={"lamp": LAMP})
    agent = spawn()
    desk.wait_applied(1)
    echo = desk.newest_beacon().echo
    document = {"id": "late", "point": "lamp", "revision": 1, "epoch": 1, "value": 1, "beacon": echo}
    with stopped(agent.pid):
        desk.publish("raw/gpio/17/set", document)
        threading.Event().wait(2.2)
    result = desk.wait_json("raw/gpio/17/result", lambda d: d["id"] == "late")
    assert result["status"] == "expired"
    assert levels(tmp_path, desk.agent) == []


def test_a_clean_end_leaves_outputs_where_they_are_safe(desk: Any, lamp: Any, tmp_path: Path) -> None:
    desk.write("gpio/17", 1)
    since = desk.now()
    lamp.stop()
    assert levels(tmp_path, desk.agent) == [1, 0]
    desk.wait_for("status", "offline", since)
    assert desk.raws("gpio/17", since) == ["0"]


def test_an_output_that_cannot_be_driven_fails_is_said_and_comes_back(desk: Any, lamp: Any) -> None:
    board = lamp.agent.hardware.interfaces["gpio"].board
    board.fault("gpio", "17", "the relay board is out")
    result = desk.write("gpio/17", 1)
    assert result.status == "failed"
    assert "the relay board is out" in result.reason
    desk.wait_for("raw/gpio/17", "")
    desk.wait_point("lamp", lambda p: "relay board" in p.get("error", ""))
    since = desk.now()
    board.heal("gpio", "17")
    desk.wait_for("raw/gpio/17", "0", since)
    assert desk.write("gpio/17", 1).status == "done"


def test_outputs_keep_their_leases_while_the_loop_is_stuck(desk: Any, lamp: Any, tmp_path: Path) -> None:
    desk.configure(2, {"lamp": LAMP | {"lease": 2}})
    desk.wait_applied(2)
    desk.write("gpio/17", 1, revision=2)
    stuck = threading.Event()
    lamp.agent.loop.post(lambda: stuck.wait(8) and None)
    deadline = time.monotonic() + 4
    while levels(tmp_path, desk.agent) != [1, 0]:
        assert time.monotonic() < deadline, "the output did not go where it is safe"
        stuck.wait(0.05)
    stuck.set()


def test_a_write_is_encoded_as_the_contract_says(desk: Any, lamp: Any) -> None:
    beacon = desk.newest_beacon()
    document = {
        "id": "x", "point": "lamp", "revision": 1, "value": 1, "ttl": 2, "epoch": 1, "pulse": 0.2,
        "beacon": {"boot": beacon.boot, "connection": beacon.connection, "tick": beacon.tick},
    }  # fmt: skip
    since = desk.now()
    desk.publish("raw/gpio/17/set", encode(document))
    desk.wait_for("raw/gpio/17", "1", since)
    desk.wait_for("raw/gpio/17", "0", since + 1)


def test_a_write_that_is_being_retained_does_not_act(desk: Any, lamp: Any) -> None:
    result = desk.write("gpio/17", 1, retain=True)
    assert result.status == "refused"
    assert "retained" in result.reason
    desk.publish("raw/gpio/17/set", "", retain=True)
    assert desk.raws("gpio/17") == ["0"]


def test_a_write_for_new_settings_does_not_act_on_the_line_as_it_still_is(
    desk: Any, lamp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adc = lamp.agent.hardware.interfaces["adc"]
    answered, read = threading.Event(), adc.read
    monkeypatch.setattr(adc, "read", lambda channel: read(channel) if answered.wait(8) else 0.0)
    tank = {"interface": "adc", "channel": "0"}
    desk.configure(2, {"lamp": LAMP, "tank": tank})
    desk.configure(3, {"lamp": LAMP | {"settings": {"active_low": True}}})  # the tank's driver does not let go yet
    since = desk.now()
    try:
        result = desk.write("gpio/17", 1, revision=3)
    finally:
        answered.set()
    assert (result.status, result.reason) == ("failed", "its new settings are not in force yet")
    assert desk.raws("gpio/17", since) == []
    desk.wait_applied(3)
    assert desk.write("gpio/17", 1, revision=3).status == "done"


@pytest.mark.parametrize(
    ("policies", "before", "asked", "why"),
    [
        ({"min_on": 60}, [1], {"value": 0}, "min_on: it was switched on "),
        ({"min_off": 60}, [1, 0], {"value": 1}, "min_off: it was switched off "),
        ({"rate": 2}, [1, 0], {"value": 1}, "rate: switched 2 times in the last minute; 2 are allowed, again in "),
        ({"min_on": 1}, [], {"value": 1, "pulse": 0.5}, "min_on: a pulse of 0.5 s could not end: by then "),
    ],
)
def test_a_write_against_a_policy_is_refused_and_never_done_later(
    desk: Any, lamp: Any, tmp_path: Path, policies: dict[str, Any], before: list[int], asked: dict[str, Any], why: str
) -> None:
    desk.configure(2, {"lamp": LAMP | policies})
    desk.wait_applied(2)
    assert [desk.write("gpio/17", value, revision=2).status for value in before] == ["done"] * len(before)
    result = desk.write("gpio/17", asked.pop("value"), revision=2, **asked)
    assert (result.status, result.rule) == ("refused", why.partition(":")[0])
    assert result.reason.startswith(why)
    assert levels(tmp_path, desk.agent) == before


@pytest.fixture
def pumps(desk: Any, start: Start) -> Any:
    """An agent with two interlocked outputs, each of an interface of its own."""
    running = start(interfaces={**SIMULATED, "relays": SIMULATED["gpio"]})
    desk.be_the_bridge()
    motor = {"interlock": {"group": "motor", "dead_time": 0.5}}
    pump_b = {"interface": "relays", "channel": "18", "direction": "output"} | motor
    desk.configure(points={"pump_a": LAMP | motor, "pump_b": pump_b})
    assert desk.wait_applied(1) == {"pump_a": {"ok": True}, "pump_b": {"ok": True}}
    return running


def test_a_write_against_an_interlock_is_refused_until_the_other_is_off_for_its_dead_time(
    desk: Any, pumps: Any, tmp_path: Path
) -> None:
    assert desk.write("gpio/17", 1, point="pump_a").status == "done"
    result = desk.write("relays/18", 1, point="pump_b")
    assert (result.status, result.rule) == ("refused", "interlock")
    assert result.reason == "interlock 'motor': 'pump_a' is on"
    assert desk.write("gpio/17", 0, point="pump_a").status == "done"
    off = time.monotonic()
    while (result := desk.write("relays/18", 1, point="pump_b")).status != "done":
        assert "'pump_a' went off 0." in result.reason
        assert time.monotonic() < off + 2
    entries = [(e["channel"], e["level"], e["mono_ns"]) for e in trace(tmp_path, desk.agent) if not e.get("event")]
    assert [entry[:2] for entry in entries] == [("17", 1), ("17", 0), ("18", 1)]
    assert entries[2][2] - entries[1][2] >= 0.5e9


def test_a_driver_that_hangs_holds_up_the_outputs_of_its_interface_alone(
    desk: Any, pumps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpio = pumps.agent.hardware.interfaces["gpio"]
    jammed, free, write = threading.Event(), threading.Event(), gpio.write

    def hang(channel: str, raw: float) -> None:
        jammed.set()
        free.wait(8)
        write(channel, raw)

    monkeypatch.setattr(gpio, "write", hang)
    document = {"id": "stuck", "point": "pump_a", "revision": 1, "epoch": 1, "value": 0}
    desk.publish("raw/gpio/17/set", document | {"beacon": desk.newest_beacon().echo})
    assert jammed.wait(8)
    try:
        assert desk.write("relays/18", 1, point="pump_b").status == "done"
    finally:
        free.set()
    assert desk.wait_json("raw/gpio/17/result", lambda d: d["id"] == "stuck")["status"] == "done"


def test_a_renamed_output_is_called_by_its_new_name_in_refusals(desk: Any, pumps: Any) -> None:
    desk.write("gpio/17", 1, point="pump_a")
    motor = {"interlock": {"group": "motor"}}
    pump_b = {"interface": "relays", "channel": "18", "direction": "output"} | motor
    desk.configure(2, {"big_pump": LAMP | motor, "pump_b": pump_b})
    desk.wait_applied(2)
    result = desk.write("relays/18", 1, point="pump_b", revision=2)
    assert result.reason == "interlock 'motor': 'big_pump' is on"
