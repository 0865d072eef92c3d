"""Inputs, from the configuration to the broker."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from piio_agent.hardware import InterfaceSettings
from piio_agent.settings import SIMULATED

TANK = {"interface": "adc", "channel": "1", "period": 0.02, "idle_period": 100}
BUTTON = {"interface": "gpio", "channel": "5", "events": True}

Start = Callable[..., Any]


def test_at_a_connect_an_agent_says_everything_in_order(desk: Any, start: Start) -> None:
    desk.configure(points={"tank": TANK})
    running = start()
    desk.wait_applied(1)
    stopped = desk.now()
    running.stop()
    desk.wait_for("status", "offline", stopped)
    since = desk.now()
    start()
    # The broker may have taken the clean end for a lost connection, and say the last will besides.
    lines = [line for line in desk.lines(since) if line != ("status", "offline")]
    assert [topic for topic, _ in lines[:5]] == ["capabilities", "config/applied", "raw/adc/1", "status", "beacon"]
    assert lines[3] == ("status", "online")


def test_a_polled_input_is_read_fast_while_somebody_looks_and_rarely_else(desk: Any, start: Start) -> None:
    start()
    desk.publish("sim/adc/1", "100")
    desk.configure(points={"tank": TANK})
    desk.wait_for("raw/adc/1")
    desk.publish("sim/adc/1", "200")
    desk.publish("sim/adc/1", "300")
    threading.Event().wait(0.3)
    assert "300" not in desk.raws("adc/1")
    desk.publish("viewers/anna", {"seconds": 5})
    desk.wait_for("raw/adc/1", "300", timeout=2)
    desk.publish("sim/adc/1", "400")
    desk.wait_for("raw/adc/1", "400", timeout=2)


def test_a_raw_is_published_when_it_moved_by_more_than_the_deadband(desk: Any, start: Start) -> None:
    start()
    desk.publish("viewers/anna", {"seconds": 20})
    desk.publish("sim/adc/1", "100")
    desk.configure(points={"tank": TANK | {"deadband": 5}})
    desk.wait_for("raw/adc/1", "100")
    for raw in ("105", "104", "110"):
        desk.publish("sim/adc/1", raw)
        threading.Event().wait(0.1)
    desk.wait_for("raw/adc/1", "110")
    assert desk.raws("adc/1") == ["100", "110"]


def test_the_smallest_period_and_deadband_of_a_channels_points_hold(desk: Any, start: Start) -> None:
    start()
    desk.publish("sim/adc/1", "100")
    desk.publish("viewers/anna", {"seconds": 20})
    desk.configure(points={"tank": TANK, "slow": TANK | {"period": 100, "deadband": 50}})
    desk.wait_for("raw/adc/1", "100")
    desk.publish("sim/adc/1", "101")
    desk.wait_for("raw/adc/1", "101", timeout=1)


def test_every_edge_of_a_bouncing_button_is_published_and_the_last_level_is_right(desk: Any, start: Start) -> None:
    bouncing = InterfaceSettings("simulated", {"part": "gpio", "bouncing": ["5"]})
    start(interfaces={"gpio": bouncing})
    desk.configure(points={"button": BUTTON})
    desk.wait_for("raw/gpio/5", "0")
    for _ in range(3):
        desk.publish("sim/gpio/5", "1")
        desk.wait_for("raw/gpio/5", "1")
        threading.Event().wait(0.1)
        desk.publish("sim/gpio/5", "0")
        threading.Event().wait(0.1)
    events = [payload for topic, payload in desk.lines() if topic == "event/gpio/5"]
    assert len(events) == 66
    assert len(desk.raws("gpio/5")) == 67
    assert desk.raws("gpio/5")[-1] == "0"


def test_a_channel_that_fails_is_reported_cleared_and_leaves_its_neighbour_alone(desk: Any, start: Start) -> None:
    faulty = InterfaceSettings("simulated", {"part": "adc", "faults": {"1": "it is broken"}})
    running = start(interfaces=SIMULATED | {"adc": faulty})
    desk.configure(points={"tank": TANK, "level": TANK | {"channel": "2"}, "away": BUTTON | {"interface": "spi"}})
    points = desk.wait_applied(1)
    assert points["tank"]["ok"] is False and "it is broken" in points["tank"]["error"]
    assert points["away"]["ok"] is False and "no interface 'spi'" in points["away"]["error"]
    assert points["level"] == {"ok": True}
    desk.wait_for("raw/adc/2")
    running.agent.hardware.interfaces["adc"].board.heal("adc", "1")
    desk.wait_point("tank", lambda p: p == {"ok": True})
    desk.wait_for("raw/adc/1")


def test_a_reading_that_fails_clears_the_raw_until_it_works_again(desk: Any, start: Start) -> None:
    running = start()
    desk.publish("viewers/anna", {"seconds": 30})
    desk.configure(points={"tank": TANK})
    desk.wait_for("raw/adc/1")
    board = running.agent.hardware.interfaces["adc"].board
    board.fault("adc", "1", "the plug is out")
    desk.wait_for("raw/adc/1", "")
    desk.wait_point("tank", lambda p: "the plug is out" in p.get("error", ""))
    since = desk.now()
    board.heal("adc", "1")
    desk.wait(lambda m: m.topic.endswith("raw/adc/1") and m.payload, since)
    desk.wait_point("tank", lambda p: p.get("ok"), since)


HANGS = """
import threading
from piio_agent.interfaces import Channel, Interface

class Hangs(Interface):
    name = "hangs"
    title = "A driver that never answers"
    def channels(self):
        return {"0": Channel("hole", ("input",), "analog")}
    def open(self, channel, direction, settings, first=None):
        pass
    def read(self, channel):
        threading.Event().wait()
    def close(self, channel):
        pass
"""


def test_an_interface_that_hangs_stops_no_other(desk: Any, start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "drivers"
    folder.mkdir()
    (folder / "hangs.py").write_text(HANGS)
    start(interfaces=SIMULATED | {"hole": InterfaceSettings("hangs", {})}, folders=(folder,))
    desk.publish("viewers/anna", {"seconds": 30})
    desk.configure(points={"hole": {"interface": "hole", "channel": "0"}, "tank": TANK, "button": BUTTON})
    points = desk.wait_applied(1)
    assert points["hole"] == {"ok": False, "error": "it is being opened: the driver has not answered yet"}
    desk.publish("sim/adc/1", "77")
    desk.wait_for("raw/adc/1", "77")
    desk.publish("sim/gpio/5", "1")
    desk.wait_for("raw/gpio/5", "1")
    desk.configure(2, {"tank": TANK})
    assert desk.wait_applied(2) == {"tank": {"ok": True}}


def test_a_channel_that_is_used_no_more_loses_its_raw_within_a_second(desk: Any, start: Start) -> None:
    start()
    desk.configure(points={"tank": TANK, "button": BUTTON})
    desk.wait_for("raw/adc/1")
    desk.configure(2, {"button": BUTTON})
    desk.wait_for("raw/adc/1", "", timeout=1)
    desk.publish("config", "", retain=True)
    desk.wait_for("raw/gpio/5", "", timeout=1)
    desk.wait_json("config/applied", lambda d: d["store"] == "" and d["revision"] == 0 and d["points"] == {})


def test_what_no_point_uses_is_never_touched(desk: Any, start: Start) -> None:
    running = start()
    desk.configure(points={"button": BUTTON})
    desk.wait_applied(1)
    trace = running.agent.hardware.interfaces["gpio"].board.trace
    assert {entry.channel for entry in trace.entries() if entry.event == "open"} == {"5"}


def test_the_outside_world_of_a_simulated_board_refuses_what_it_cannot_be(desk: Any, start: Start) -> None:
    running = start()
    desk.configure(points={"tank": TANK})
    desk.wait_for("raw/adc/1")
    desk.publish("sim/adc/1", "up")
    desk.publish("sim/adc/99", "1")
    desk.publish("sim/adc/1", "5")
    desk.publish("viewers/anna", {"seconds": 5})
    desk.wait_for("raw/adc/1", "5")
    assert running.agent.complaints.count == 2


NO_NUMBER = """
from piio_agent.interfaces import Channel, Interface

class Odd(Interface):
    name = "odd"
    title = "A driver that reads what is no number, or makes a mistake"
    def channels(self):
        return {"0": Channel("nan", ("input",), "analog"), "1": Channel("mistake", ("input",), "analog")}
    def open(self, channel, direction, settings, first=None):
        pass
    def read(self, channel):
        return float("nan") if channel == "0" else 1 / 0
    def close(self, channel):
        pass
"""


def test_what_is_no_number_and_a_drivers_mistake_are_that_channels_error(
    desk: Any, start: Start, tmp_path: Path
) -> None:
    folder = tmp_path / "drivers"
    folder.mkdir()
    (folder / "odd.py").write_text(NO_NUMBER)
    start(interfaces=SIMULATED | {"odd": InterfaceSettings("odd", {})}, folders=(folder,))
    odd = {"interface": "odd", "channel": "0"}
    desk.configure(points={"a": odd, "b": odd | {"channel": "1"}, "tank": TANK})
    points = desk.wait_applied(1)
    assert "nan, which is no number" in points["a"]["error"]
    assert points["b"]["error"] == "a mistake in the driver: ZeroDivisionError: division by zero"
    assert points["tank"] == {"ok": True}
