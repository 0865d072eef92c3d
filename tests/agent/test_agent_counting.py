"""Channels that count, from the configuration to the broker."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from piio_agent.hardware import InterfaceSettings

DOOR = {"interface": "gpio", "channel": "5"}
COUNT = {"interface": "gpio", "channel": "5-pulses", "period": 0.02}
RATE = {"interface": "gpio", "channel": "5-frequency", "period": 0.02}
PERIOD = {"interface": "gpio", "channel": "5-period", "period": 0.02}

Start = Callable[..., Any]


def pulse(desk: Any, times: int, line: str = "5") -> None:
    """Drive a line high and low from outside."""
    for _ in range(times):
        desk.publish(f"sim/gpio/{line}", "1")
        desk.publish(f"sim/gpio/{line}", "0")


def test_capabilities_say_once_what_can_be_counted(desk: Any, start: Start) -> None:
    start()
    interfaces = desk.wait_json("capabilities", lambda d: d["interfaces"]["gpio"].get("channels"))["interfaces"]
    assert all(channel["counts"] for channel in interfaces["gpio"]["channels"].values())
    assert list(interfaces["gpio"]["counting"]["measures"]) == ["pulses", "frequency", "period", "duty", "lost"]
    assert set(interfaces["gpio"]["counting"]["settings"]["properties"]) == {"window", "keep", "start"}
    assert "counting" not in interfaces["adc"]
    assert not any("counts" in channel for channel in interfaces["adc"]["channels"].values())


def test_a_line_its_pulses_and_its_frequency_are_points_at_once(desk: Any, start: Start) -> None:
    start()
    desk.publish("viewers/anna", {"seconds": 30})
    desk.configure(points={"door": DOOR, "doors": COUNT, "rate": RATE})
    assert desk.wait_applied(1) == {"door": {"ok": True}, "doors": {"ok": True}, "rate": {"ok": True}}
    desk.wait_for("raw/gpio/5-pulses", "0")
    desk.wait_for("raw/gpio/5-frequency", "0")
    pulse(desk, 7)
    desk.wait_for("raw/gpio/5-pulses", "7")
    assert desk.raws("gpio/5")[-2:] == ["1", "0"]
    desk.wait(lambda m: m.topic.endswith("5-frequency") and float(m.payload or 0) > 1)
    desk.wait_for("raw/gpio/5-frequency", "0", since=desk.now())


def test_a_period_is_bad_while_the_line_is_at_rest_and_good_with_the_next_pulses(desk: Any, start: Start) -> None:
    start()
    desk.publish("viewers/anna", {"seconds": 30})
    desk.configure(points={"period": PERIOD | {"settings": {"window": 3}}})
    error = desk.wait_point("period", lambda p: not p.get("ok", True))["error"]
    assert error == "GPIO5 (pin 29) is at rest: nothing to measure while no pulses come"
    since = desk.now()
    pulse(desk, 3)
    desk.wait(lambda m: m.topic.endswith("raw/gpio/5-period") and m.payload, since)
    desk.wait_point("period", lambda p: p.get("ok"), since)
    since = desk.now()
    desk.wait_for("raw/gpio/5-period", "", since)
    desk.wait_point("period", lambda p: not p.get("ok", True), since)
    assert desk.raws("gpio/5-period", since).count("") == 1


RESTS = """
from piio_agent.interfaces import Channel, Interface
from piio_agent.interfaces.errors import NoReading

class Rests(Interface):
    name = "rests"
    title = "A driver that has nothing to tell now and then"
    opened = turn = 0
    def channels(self):
        return {"0": Channel("gauge", ("input",), "analog")}
    def open(self, channel, direction, settings, first=None):
        self.opened += 1
    def read(self, channel):
        self.turn += 1
        if 3 <= self.turn < 30:
            raise NoReading("nothing to tell")
        return 5.0
    def close(self, channel):
        pass
"""


def test_nothing_to_read_is_told_once_and_ends_with_the_next_reading(desk: Any, start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "drivers"
    folder.mkdir()
    (folder / "rests.py").write_text(RESTS)
    running = start(interfaces={"gauge": InterfaceSettings("rests", {})}, folders=(folder,))
    desk.publish("viewers/anna", {"seconds": 30})
    desk.configure(points={"gauge": {"interface": "gauge", "channel": "0", "period": 0.02}})
    cleared = desk.wait_for("raw/gauge/0", "")
    desk.wait_for("raw/gauge/0", "5", desk.heard.index(cleared))
    assert desk.raws("gauge/0") == ["5", "", "5"]
    assert running.agent.hardware.interfaces["gauge"].opened == 1


def test_counting_goes_on_whatever_else_of_its_line_changes(desk: Any, start: Start) -> None:
    running = start()
    desk.publish("viewers/anna", {"seconds": 30})
    desk.configure(points={"door": DOOR, "doors": COUNT})
    desk.wait_applied(1)
    pulse(desk, 2)
    desk.wait_for("raw/gpio/5-pulses", "2")
    desk.configure(2, {"doors": COUNT | {"settings": {"window": 5}}, "rate": RATE})
    desk.wait_applied(2)
    pulse(desk, 2)
    desk.wait_for("raw/gpio/5-pulses", "4")
    settings = {"settings": {"active_low": True}}
    desk.configure(3, {"doors": COUNT | settings, "rate": RATE | settings})
    desk.wait_applied(3)
    pulse(desk, 2)
    desk.wait_for("raw/gpio/5-pulses", "6")
    desk.configure(4, {"doors": COUNT | {"settings": {"active_low": True, "start": 100}}})
    desk.wait_for("raw/gpio/5-pulses", "100")
    opened = [
        entry for entry in running.agent.hardware.interfaces["gpio"].board.trace.entries() if entry.event == "open"
    ]
    assert len(opened) == 2
    desk.configure(5, {})
    desk.wait_for("raw/gpio/5-pulses", "", since=desk.now() - 1)


def test_a_line_that_fails_makes_what_is_measured_of_it_bad(desk: Any, start: Start) -> None:
    broken = InterfaceSettings("simulated", {"part": "gpio", "faults": {"5": "the plug is out"}})
    running = start(interfaces={"gpio": broken})
    desk.configure(points={"doors": COUNT, "speed": RATE | {"channel": "6-speed"}})
    points = desk.wait_applied(1)
    assert "the plug is out" in points["doors"]["error"]
    assert "there is no channel '6-speed'" in points["speed"]["error"]
    running.agent.hardware.interfaces["gpio"].board.heal("gpio", "5")
    desk.wait_point("doors", lambda p: p.get("ok"))
    desk.wait_for("raw/gpio/5-pulses", "0")


def test_what_is_counted_gives_way_to_the_line_itself(desk: Any, start: Start) -> None:
    start()
    desk.be_the_bridge()
    lamp = DOOR | {"direction": "output"}
    desk.configure(points={"lamp": lamp, "switched": COUNT, "rate": RATE | {"sample_rate": 100}})
    points = desk.wait_applied(1)
    assert points["lamp"] == {"ok": True}
    assert points["switched"]["error"] == "channel '5' is the output 'lamp': only an input can be counted"
    assert desk.write("gpio/5", 1).status == "done"
    desk.configure(2, {"door": DOOR, "doors": COUNT, "rate": RATE | {"settings": {"active_low": True}}})
    points = desk.wait_applied(2)
    assert points["door"] == points["doors"] == {"ok": True}
    assert points["rate"]["error"].startswith("channel '5' has other settings at 'door', 'doors'")
    desk.configure(3, {"door": DOOR, "doors": COUNT, "rate": RATE})
    assert all(point["ok"] for point in desk.wait_applied(3).values())


def test_a_kept_count_survives_a_killed_process_and_a_clean_end(desk: Any, spawn: Start, tmp_path: Path) -> None:
    desk.publish("status", "offline", retain=True)
    desk.configure(points={"doors": COUNT | {"settings": {"keep": True}}})
    agent = spawn()
    since = 0
    for before, pulses, end in ((0, 12, signal.SIGKILL), (12, 3, signal.SIGTERM), (15, 0, signal.SIGTERM)):
        desk.wait_for("beacon", since=since)
        desk.publish("viewers/anna", {"seconds": 60})
        desk.wait_for("raw/gpio/5-pulses", str(before), since)
        pulse(desk, pulses)
        desk.wait_for("raw/gpio/5-pulses", str(before + pulses), since)
        if end == signal.SIGKILL:
            until(lambda: '"value":12' in saved(tmp_path))
        since = desk.now()
        agent.send_signal(end)
        agent.wait(5)
        desk.wait_for("status", "offline", since)
        agent = spawn()
    assert '"value":15' in saved(tmp_path)


def saved(folder: Path) -> str:
    """The counts on disk."""
    return "".join(path.read_text() for path in folder.rglob("counts.json"))


def until(condition: Callable[[], bool]) -> None:
    """Wait for a file."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.02)
