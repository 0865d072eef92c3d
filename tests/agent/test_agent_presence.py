"""Being there: connections, beacons, status, and two agents of one name."""

import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from piio_agent.storage import StoredConfiguration

Start = Callable[..., Any]

TANK = {"interface": "adc", "channel": "1"}
LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}


def test_an_agent_beacons_every_second_with_outputs_and_every_ten_without(desk: Any, start: Start) -> None:
    start()
    assert desk.newest_beacon().period == 10
    since = desk.now()
    desk.configure(points={"lamp": LAMP})
    desk.wait_json("beacon", lambda d: d["period"] == 1, since, timeout=1)
    threading.Event().wait(2.2)
    beacons = [msgspec.json.decode(p) for topic, p in desk.lines(since) if topic == "beacon"]
    assert 3 <= len(beacons) <= 4
    assert {beacon["connection"] for beacon in beacons} == {1}
    assert 0.9 < beacons[2]["tick"] - beacons[1]["tick"] < 1.1


def test_a_bridge_that_is_new_hears_within_two_seconds_of_an_agent_that_beacons_rarely(desk: Any, start: Start) -> None:
    start()
    desk.hush()
    desk.beacon()
    since = desk.now()
    desk.beacon("another")
    assert desk.wait_json("beacon", bool, since, timeout=2)["period"] == 10


def test_a_status_that_says_otherwise_is_corrected(desk: Any, start: Start) -> None:
    start()
    for wrong in ("offline", "", "gone"):
        since = desk.now()
        desk.publish("status", wrong, retain=True)
        desk.wait_for("status", "online", since, timeout=1)


def test_a_lost_connection_is_made_anew_counted_and_announced(desk: Any, start: Start) -> None:
    running = start()
    desk.configure(points={"tank": TANK})
    desk.wait_applied(1)
    since = desk.now()
    running.agent.uplink.abandon("for this test")
    desk.wait_for("status", "offline", since)
    desk.wait_json("beacon", lambda d: d["connection"] == 2, since)
    topics = [topic for topic, payload in desk.lines(since) if payload != "offline"]
    assert topics[:5] == ["capabilities", "config/applied", "raw/adc/1", "status", "beacon"]


def test_an_agent_that_hears_nothing_gives_its_connection_up(desk: Any, start: Start) -> None:
    running = start()
    desk.configure(points={"lamp": LAMP})
    desk.wait_applied(1)
    since = desk.now()
    running.agent.uplink._connection._on_message = lambda _: None
    desk.wait_json("beacon", lambda d: d["connection"] == 2, since)
    assert ("status", "offline") in desk.lines(since)


def test_a_loop_that_is_stuck_sends_no_beacon(desk: Any, start: Start) -> None:
    running = start()
    desk.configure(points={"lamp": LAMP})
    desk.wait_applied(1)
    stuck = threading.Event()
    running.agent.loop.post(lambda: stuck.wait(10) and None)
    threading.Event().wait(0.1)
    since = desk.now()
    threading.Event().wait(1.5)
    assert not [topic for topic, _ in desk.lines(since) if topic == "beacon"]
    stuck.set()
    desk.wait_for("beacon", since=since)


def test_the_first_of_two_agents_of_one_name_keeps_everything_and_the_second_says_so(
    desk: Any, start: Start, spawn: Start, tmp_path: Path
) -> None:
    first = start()
    desk.be_the_bridge()
    desk.configure(points={"lamp": LAMP})
    desk.wait_applied(1)
    since = desk.now()
    second = spawn("--state", str(tmp_path / "second"))
    assert second.stderr is not None
    said = next(line for line in second.stderr if "is there already" in line)
    assert re.search(f"'{desk.agent}' is there already .*another name", said)
    assert desk.write("gpio/17", 1).status == "done"
    heard = desk.lines(since)
    assert not [line for line in heard if line[0] in ("capabilities", "status", "config/applied")]
    assert {msgspec.json.decode(p)["boot"] for topic, p in heard if topic == "beacon"} == {first.agent.boot}


def test_an_incumbent_that_beacons_rarely_says_again_what_a_newcomer_said_over_it(
    desk: Any, start: Start, spawn: Start, tmp_path: Path
) -> None:
    first = start()
    since = desk.now()
    second = spawn("--state", str(tmp_path / "second"))
    assert second.stderr is not None
    assert any("is there already" in line for line in second.stderr)
    desk.wait_json("capabilities", lambda d: d["boot"] == first.agent.boot, since)
    newest = [p for topic, p in desk.lines() if topic == "capabilities"][-1]
    assert msgspec.json.decode(newest)["boot"] == first.agent.boot
    assert [p for topic, p in desk.lines() if topic == "status"][-1] == "online"


def test_of_two_agents_of_one_name_that_start_together_one_stays(desk: Any, spawn: Start, tmp_path: Path) -> None:
    desk.publish("status", "offline", retain=True)
    desk.configure(points={"lamp": LAMP})
    for folder in ("one", "other"):
        spawn("--state", str(tmp_path / folder))
    desk.wait_for("beacon")
    alone = 0
    boot = ""
    deadline = time.monotonic() + 45
    since = desk.now()
    while alone < 4:
        assert time.monotonic() < deadline, "they did not agree"
        beacon = desk.wait_json("beacon", lambda d: d["boot"], since, timeout=20)  # both may leave, and listen long
        since = 1 + next(n for n in range(since, desk.now()) if desk.heard[n].topic.endswith("/beacon"))
        alone, boot = (alone + 1 if beacon["boot"] == boot else 0), beacon["boot"]


def test_an_agent_that_was_killed_is_back_at_once(desk: Any, spawn: Start) -> None:
    agent = spawn()
    desk.wait_for("status", "online")
    killed = desk.now()
    agent.kill()
    desk.wait_for("status", "offline", killed, timeout=2)
    since = desk.now()
    spawn()
    desk.wait_for("status", "online", since, timeout=2)


def test_it_starts_without_a_broker_with_the_last_good_configuration(
    desk: Any, start: Start, start_at: Start, broker: Any
) -> None:
    first = start()
    desk.configure(points={"tank": TANK})
    desk.wait_applied(1)
    first.stop()
    broker.stop()
    agent = start_at(broker).agent
    looked = threading.Event()
    agent.loop.after(0.5, looked.set)
    assert looked.wait(3)
    assert agent.configuring.configuration.revision == 1
    assert agent.applied.document().points["tank"].ok


def test_a_broken_file_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"revision": ')
    assert StoredConfiguration(path).load() is None
    assert (tmp_path / "config.broken").exists()
    assert not path.exists()


def test_a_broker_that_forgot_everything_is_told_all_anew(
    broker: Any, make_desk: Callable[..., Any], start_at: Start, name: str
) -> None:
    desk = make_desk(broker)
    start_at(broker)
    desk.configure(points={"tank": TANK})
    desk.wait_for("raw/adc/1")
    broker.restart()
    desk = make_desk(broker)
    desk.wait_json("beacon", lambda d: d["connection"] >= 2)
    assert {"capabilities", "config/applied", "raw/adc/1", "status"} <= {topic for topic, _ in desk.lines()}


def test_sigterm_ends_it_cleanly_within_three_seconds(desk: Any, spawn: Start) -> None:
    agent = spawn()
    desk.wait_for("status", "online")
    began = desk.now()
    agent.terminate()
    try:
        assert agent.wait(3) == 0
    except subprocess.TimeoutExpired as error:
        raise AssertionError("it did not end") from error
    desk.wait_for("status", "offline", began)
