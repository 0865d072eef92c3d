"""Stops, from the topic to the pin: whatever the board is busy with, and whoever else is not there."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from piio_schemas.documents import encode
from tests.agent.holder.test_holder import Bench
from tests.agent.test_agent_outputs import LAMP, levels

Start = Callable[..., Any]

POINTS = {
    "lamp": LAMP,
    "fan": LAMP | {"channel": "18", "on_lost": "hold", "min_on": 60},
    "bell": LAMP | {"channel": "19"},
    "valve": LAMP | {"channel": "20", "on_lost": "on"},
}

SLUGGISH = """
import time
from piio_agent.interfaces.simulated import SimulatedGpio

class Sluggish(SimulatedGpio):
    "The simulated board with relays that take their time."

    name = "simulated"

    def __new__(cls, options, context):
        return object.__new__(cls)

    def write(self, channel, raw):
        time.sleep(0.25)
        super().write(channel, raw)
"""


@pytest.fixture
def board(desk: Any, start: Start) -> Any:
    """A board with outputs that are on, one of them for a while, and a bridge that dies then."""
    running = start()
    desk.be_the_bridge()
    desk.configure(points=POINTS)
    desk.wait_applied(1)
    assert desk.write("gpio/17", 1).status == desk.write("gpio/18", 1, point="fan").status == "done"
    assert desk.write("gpio/19", 1, point="bell", pulse=1.0).status == "done"
    desk.hush()
    return running


def stopped(desk: Any, since: int, by: str = "anna") -> None:
    """Wait until every output says that it was stopped."""
    why = f"stopped by {by}"
    desk.wait_json("config/applied", lambda d: all(d["points"][p].get("fail_safe") == why for p in POINTS), since)


@pytest.mark.parametrize("everywhere", [False, True], ids=["this board", "all boards"])
def test_every_output_goes_where_it_is_safe_without_any_bridge(
    desk: Any, board: Any, tmp_path: Path, everywhere: bool
) -> None:
    since = desk.now()
    if everywhere:
        desk._connection.publish("piio/stop", encode({"by": "anna"}), 1)
    else:
        desk.publish("stop", {"by": "anna"})
    stopped(desk, since)
    desk.wait_for("beacon", since=since)
    safe = [levels(tmp_path, desk.agent, channel) for channel in ("17", "18", "19", "20")]
    assert safe == [[1, 0], [1, 0], [1, 0], [1]]
    threading.Event().wait(1.1)  # the pulse would have ended by now: it is time that must pass
    assert levels(tmp_path, desk.agent, "19") == [1, 0]


def test_the_next_write_acts_as_soon_as_the_board_has_beaconed(desk: Any, board: Any) -> None:
    old, since = desk.newest_beacon().echo, desk.now()
    desk.publish("stop", "any text")
    desk.wait_for("raw/gpio/17", "0", since)
    late = desk.write("gpio/17", 1, beacon=old)
    assert (late.status, late.reason) == ("refused", "stopped by somebody")
    desk.wait_for("beacon", since=since)
    assert desk.write("gpio/17", 1).status == "done"


def test_a_retained_stop_and_an_empty_one_stop_nothing(desk: Any, board: Any, tmp_path: Path) -> None:
    desk.publish("stop", {"by": "anna"}, retain=True)
    desk.publish("stop", "", retain=True)
    desk.publish("stop", "")
    assert desk.write("gpio/17", 1).status == "done"
    assert levels(tmp_path, desk.agent) == [1]
    assert board.agent.complaints.count == 1


def test_orders_that_wait_at_a_slow_driver_in_a_process_of_its_own_do_not_act_after_it(
    desk: Any, spawn: Start, tmp_path: Path
) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "sluggish.py").write_text(SLUGGISH)
    desk.publish("status", "offline", retain=True)
    desk.be_the_bridge()
    desk.configure(points={"lamp": LAMP})
    agent = spawn("--interfaces-dir", str(tmp_path / "drivers"))
    desk.wait_applied(1)
    since, echo = desk.now(), desk.newest_beacon().echo
    document = {"point": "lamp", "revision": 1, "epoch": 1, "beacon": echo, "ttl": 5}
    for number in range(12):
        desk.publish("raw/gpio/17/set", document | {"id": f"w{number}", "value": 1 - number % 2})
    desk.wait_for("raw/gpio/17", "1", since)
    desk.publish("stop", {"by": "anna"})
    desk.wait_json("raw/gpio/17/result", lambda d: d["id"] == "w11", since)
    results = [desk.wait_json("raw/gpio/17/result", lambda d, n=n: d["id"] == f"w{n}", since) for n in range(12)]
    reasons = [result["reason"] for result in results if result["status"] == "refused"]
    assert len(reasons) >= 9 and set(reasons) == {"stopped by anna"}
    desk.wait_point("lamp", lambda point: point.get("fail_safe") == "stopped by anna", since)
    assert len(levels(tmp_path, desk.agent)) <= 4 and levels(tmp_path, desk.agent)[-1] == 0
    agent.terminate()
    agent.wait(8)


def test_it_does_not_wait_for_an_agent_that_is_busy_with_something_else(desk: Any, board: Any, tmp_path: Path) -> None:
    busy, free = threading.Event(), threading.Event()

    def work() -> None:
        busy.set()
        free.wait(8)

    board.agent.loop.post(work)
    assert busy.wait(8)
    try:
        desk.publish("stop", {"by": "anna"})
        begun = time.monotonic()
        while levels(tmp_path, desk.agent, "18") != [1, 0]:
            assert time.monotonic() - begun < 1, "the agent's loop stood in the way"
            threading.Event().wait(0.01)
    finally:
        free.set()


def test_one_that_comes_while_the_outputs_have_no_process_is_obeyed_by_the_next(
    desk: Any, spawn: Start, tmp_path: Path
) -> None:
    desk.publish("status", "offline", retain=True)
    found = Bench(desk, spawn, tmp_path)
    found.configure(on_start="on")
    holder, since = found.holder(), desk.now()
    assert holder
    os.kill(holder, signal.SIGKILL)
    desk.wait_for("raw/gpio/17", "", since)
    desk.publish("stop", {"by": "anna"})
    told = desk.wait_point("lamp", lambda point: point.get("fail_safe"), since)
    assert told["fail_safe"] == "stopped by anna"
    assert levels(tmp_path, desk.agent)[-1] == 0
    found.agent.terminate()
    assert found.agent.wait(8) == 0
