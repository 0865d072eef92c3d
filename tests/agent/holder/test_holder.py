"""Outputs outlive the agent's process, are safe within two seconds without it, and a new one finds them as they are."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from piio_agent.holder.start import LONGEST_LOG
from tests.standstill import stopped

LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}
PATIENCE = 8.0

Spawn = Callable[..., subprocess.Popen[str]]


def holder_of(agent: str) -> int | None:
    """The process that holds an agent's outputs."""
    for each in Path("/proc").glob("[0-9]*"):
        try:
            words = (each / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"piio_agent.holder" in words and agent.encode() in words:
            return int(each.name)
    return None


class Bench:
    """An agent's process, the process that holds its outputs, and the simulated board's trace of what they did."""

    def __init__(self, desk: Any, spawn: Spawn, folder: Path) -> None:
        self.desk = desk
        self._spawn = spawn
        self._trace = folder / "agents" / desk.agent / "trace.jsonl"
        self.agent = spawn()

    def start_again(self) -> None:
        """Start another agent in the place of one that has ended, and wait until it may be asked for something."""
        self.agent.wait(PATIENCE)
        since = self.desk.now()
        self.agent = self._spawn()
        self.desk.wait_for("beacon", since=since)

    def configure(self, **policies: Any) -> None:
        """Have the lamp in force, with these policies."""
        self.desk.be_the_bridge()
        self.desk.configure(points={"lamp": LAMP | policies})
        assert self.desk.wait_applied(1) == {"lamp": {"ok": True}}

    def switch_on(self) -> None:
        assert self.desk.write("gpio/17", 1).status == "done"

    def moves(self) -> list[tuple[str, int | None]]:
        """What befell the lamp's line, oldest first: levels it was driven to, and the takings and lettings go."""
        entries = [msgspec.json.decode(line) for line in self._trace.read_text().splitlines()]
        return [
            (each.get("event") or "level", each.get("level"))
            for each in entries
            if (each["interface"], each["channel"]) == ("gpio", "17")
        ]

    def wait_moves(self, wanted: Callable[[list[tuple[str, int | None]]], bool], within: float = PATIENCE) -> float:
        """Wait until the line did what is wanted; returns how long it took, in seconds."""
        begun = time.monotonic()
        while not wanted(self.moves()):
            assert time.monotonic() - begun < within, self.moves()
            time.sleep(0.02)
        return time.monotonic() - begun

    def holder(self) -> int | None:
        """The process that holds the outputs."""
        return holder_of(self.desk.agent)

    def wait_kept(self, channel: str, raw: float) -> None:
        """Wait until the disk has what an output is now."""
        begun, file = time.monotonic(), self._trace.with_name("outputs.json")
        while not file.exists() or msgspec.json.decode(file.read_bytes())["outputs"].get(channel, [None])[0] != raw:
            assert time.monotonic() - begun < PATIENCE
            time.sleep(0.02)

    def wait_holder(self, wanted: Callable[[int | None], bool]) -> None:
        begun = time.monotonic()
        while not wanted(self.holder()):
            assert time.monotonic() - begun < PATIENCE
            time.sleep(0.02)


@pytest.fixture
def alone(desk: Any) -> Iterator[None]:
    """Nobody of the desk's agent is left behind."""
    yield
    holder = holder_of(desk.agent)
    if holder:
        os.kill(holder, signal.SIGKILL)


@pytest.fixture
def bench(desk: Any, spawn: Spawn, tmp_path: Path, alone: None) -> Iterator[Bench]:
    desk.publish("status", "offline", retain=True)
    made = Bench(desk, spawn, tmp_path)
    yield made
    made.agent.kill()


def test_an_agent_that_is_killed_and_started_again_finds_its_outputs_as_they_were(bench: Bench) -> None:
    bench.configure()
    bench.switch_on()
    before, holder, since = bench.moves(), bench.holder(), bench.desk.now()
    bench.agent.kill()
    bench.start_again()
    bench.desk.wait_for("raw/gpio/17", "1", since)
    assert bench.desk.wait_applied(1, since) == {"lamp": {"ok": True}}
    assert (bench.moves(), bench.holder()) == (before, holder)
    assert bench.desk.write("gpio/17", 0).status == "done"
    assert bench.moves()[-1] == ("level", 0)


def test_outputs_are_safe_within_two_seconds_of_their_agents_death_and_their_process_ends(bench: Bench) -> None:
    bench.configure()
    bench.switch_on()
    bench.agent.kill()
    assert bench.wait_moves(lambda moves: ("level", 0) in moves[-2:]) <= 2.0
    bench.wait_holder(lambda pid: pid is None)
    assert bench.moves()[-1][0] == "close"


def test_outputs_are_safe_within_two_seconds_of_an_agent_that_hangs_and_stay_so_until_a_new_set(bench: Bench) -> None:
    bench.configure()
    bench.switch_on()
    since = bench.desk.now()
    with stopped(bench.agent.pid):
        assert bench.wait_moves(lambda moves: moves[-1] == ("level", 0)) <= 2.0
    told = bench.desk.wait_point("lamp", lambda point: point.get("fail_safe"), since)
    assert told["fail_safe"] == "the agent's process has not answered for 1.5 s"
    bench.switch_on()
    assert bench.moves()[-1] == ("level", 1)
    with stopped(bench.agent.pid):
        assert bench.wait_moves(lambda moves: moves[-1] == ("level", 0)) <= 2.0, "the second time as the first"


def test_an_output_that_is_to_hold_is_held_without_its_agent_and_found_by_the_next(bench: Bench) -> None:
    bench.configure(on_lost="hold", lease=2)
    bench.switch_on()
    before, holder = bench.moves(), bench.holder()
    bench.agent.kill()
    bench.agent.communicate(timeout=PATIENCE)  # nothing of it is left that anybody would wait for
    time.sleep(2.5)  # it is time that must pass without anything happening
    assert (bench.moves(), bench.holder()) == (before, holder)
    since = bench.desk.now()
    bench.start_again()
    bench.desk.wait_for("raw/gpio/17", "1", since)
    assert bench.moves() == before


def test_an_agent_that_is_asked_to_begin_anew_leaves_its_outputs_as_they_are(bench: Bench) -> None:
    bench.configure()
    bench.switch_on()
    before, since = bench.moves(), bench.desk.now()
    bench.agent.send_signal(signal.SIGHUP)
    bench.desk.wait_for("status", "offline", since)
    bench.desk.wait_for("raw/gpio/17", "1", since)
    assert bench.moves() == before
    assert bench.agent.poll() is None


def test_an_agent_that_is_told_to_end_leaves_nothing_on(bench: Bench) -> None:
    bench.configure()
    bench.switch_on()
    bench.agent.terminate()
    assert bench.agent.wait(PATIENCE) == 0
    assert bench.moves()[-2:] == [("level", 0), ("close", None)]
    bench.wait_holder(lambda pid: pid is None)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_outputs_whose_process_is_lost_are_taken_again_as_their_policies_say(bench: Bench, end: signal.Signals) -> None:
    bench.configure(on_start="on")
    holder, since = bench.holder(), bench.desk.now()
    assert holder
    os.kill(holder, end)
    bench.desk.wait_for("raw/gpio/17", "", since)
    bench.desk.wait_for("raw/gpio/17", "1", since)
    assert bench.holder() not in (None, holder)
    assert bench.desk.write("gpio/17", 0).status == "done"
    assert bench.moves()[-1] == ("level", 0)


def test_outputs_of_which_both_processes_are_killed_start_as_their_policies_say(bench: Bench) -> None:
    desk = bench.desk
    desk.be_the_bridge()
    desk.configure(points={"lamp": LAMP, "last": LAMP | {"channel": "18", "on_start": "last"}})
    desk.wait_applied(1)
    assert desk.write("gpio/17", 1).status == desk.write("gpio/18", 1, point="last").status == "done"
    bench.wait_kept("gpio/18", 1)
    holder, since = bench.holder(), desk.now()
    assert holder
    bench.agent.kill()
    os.kill(holder, signal.SIGKILL)
    bench.start_again()
    desk.wait_for("raw/gpio/17", "0", since)
    desk.wait_for("raw/gpio/18", "1", since)


def test_an_outputs_process_that_hangs_since_before_an_agent_began_is_replaced(bench: Bench) -> None:
    bench.configure(on_start="on", on_lost="hold")
    holder, since = bench.holder(), bench.desk.now()
    assert holder
    os.kill(holder, signal.SIGSTOP)
    bench.agent.kill()
    bench.start_again()
    bench.desk.wait_for("raw/gpio/17", "1", since)
    assert bench.holder() not in (None, holder)


def test_what_a_new_configuration_does_not_want_is_let_go_of_though_another_agent_had_it_opened(
    bench: Bench, tmp_path: Path
) -> None:
    bench.configure(on_lost="hold")
    bench.switch_on()
    bench.agent.kill()
    bench.agent.wait(PATIENCE)
    (tmp_path / "agents" / bench.desk.agent / "config.json").unlink(missing_ok=True)
    bench.desk.configure(2)
    bench.start_again()
    bench.wait_moves(lambda moves: ("close", None) in moves)


def test_inputs_of_hardware_that_cannot_be_shared_are_read_through_the_process_of_its_outputs(bench: Bench) -> None:
    bench.desk.be_the_bridge()
    button = {"interface": "gpio", "channel": "27", "events": True}
    wired = {"interface": "gpio", "channel": "22", "direction": "output"}
    bench.desk.configure(points={"lamp": wired, "button": button, "knob": {"interface": "adc", "channel": "3"}})
    bench.desk.wait_applied(1)
    since = bench.desk.now()
    assert bench.desk.write("gpio/22", 1).status == "done"
    assert bench.desk.wait_json("event/gpio/27", lambda edge: edge["edge"] == "rising", since)["lost"] == 0
    bench.desk.wait_for("raw/gpio/27", "1", since)
    bench.desk.publish("viewers/anna", {"seconds": 15})
    bench.desk.publish("sim/adc/3", "77")
    bench.desk.wait_for("raw/adc/3", "77", since)


HANGING = """
import threading
from piio_agent.interfaces import Channel, Interface


class Hanging(Interface):
    name = "hanging"
    title = "Hardware that does not answer"

    def channels(self):
        return {"0": Channel("one", ("input",), "analog", low=0, high=1)}

    def open(self, channel, direction, settings, first=None):
        threading.Event().wait()

    def close(self, channel):
        pass
"""


def test_hardware_that_hangs_holds_up_nobody_whatever_is_asked_of_it(desk: Any, spawn: Spawn, tmp_path: Path) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "hanging.py").write_text(HANGING)
    file = tmp_path / "agent.toml"
    file.write_text('[interfaces.gpio]\ndriver = "simulated"\n[interfaces.stuck]\ndriver = "hanging"\n')
    desk.publish("status", "offline", retain=True)
    spawn(hardware=("--config", str(file), "--interfaces-dir", str(tmp_path / "drivers")))
    desk.be_the_bridge()
    desk.configure(points={"lamp": LAMP, "level": {"interface": "stuck", "channel": "0"}})
    desk.wait_point("lamp", lambda point: point == {"ok": True})
    assert desk.write("gpio/17", 1).status == "done"
    for _ in range(5):
        desk.publish("sim/stuck/0", "1")
    for _ in range(3):  # seconds, longer than the outputs' process is patient
        desk.wait_for("beacon", since=desk.now())
    assert desk.write("gpio/17", 0).status == "done"
    assert desk.raws("gpio/17") == ["0", "1", "0"], "nothing else drove it"


LEVEL = """
from piio_agent.interfaces import Channel, Interface


class Level(Interface):
    name = "level"
    title = "A level that never changes"

    def channels(self):
        return {"0": Channel("one", ("input",), "analog", low=0, high=100)}

    def open(self, channel, direction, settings, first=None):
        pass

    def read(self, channel):
        return 41

    def close(self, channel):
        pass
"""


@pytest.mark.usefixtures("alone")
def test_a_drivers_file_that_changed_counts_from_the_next_start_of_the_agent(
    desk: Any, spawn: Spawn, tmp_path: Path
) -> None:
    (tmp_path / "drivers").mkdir()
    driver, file = tmp_path / "drivers" / "level.py", tmp_path / "agent.toml"
    driver.write_text(LEVEL)
    file.write_text('[interfaces.gpio]\ndriver = "simulated"\n[interfaces.tank]\ndriver = "level"\n')
    hardware = ("--config", str(file), "--interfaces-dir", str(tmp_path / "drivers"))
    desk.publish("status", "offline", retain=True)
    agent = spawn(hardware=hardware)
    desk.be_the_bridge()
    held = LAMP | {"on_lost": "hold"}  # so that the process of the outputs waits for the next agent
    desk.configure(points={"level": {"interface": "tank", "channel": "0"}, "lamp": held})
    desk.wait_for("raw/tank/0", "41")
    desk.wait_point("lamp", lambda point: point == {"ok": True})
    agent.kill()
    agent.wait(PATIENCE)
    written = driver.stat()
    driver.write_text(LEVEL.replace("41", "42"))
    os.utime(driver, ns=(written.st_atime_ns, written.st_mtime_ns))  # within the same second, to the same length
    since = desk.now()
    spawn(hardware=hardware)
    desk.wait_for("raw/tank/0", "42", since)


def test_the_log_of_the_outputs_process_begins_anew_when_it_is_long(bench: Bench, tmp_path: Path) -> None:
    bench.configure()
    log = tmp_path / "agents" / bench.desk.agent / "outputs.log"
    with log.open("ab") as file:
        file.write(b"x" * (LONGEST_LOG + 1))
    begun = time.monotonic()
    while log.stat().st_size > 0:
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.02)


def test_an_agent_whose_outputs_no_next_one_will_find_says_so_once(desk: Any, spawn: Spawn, tmp_path: Path) -> None:
    (tmp_path / "agents").write_text("in the way of the agent's folder")
    desk.publish("status", "offline", retain=True)
    agent = spawn()
    desk.be_the_bridge()
    desk.configure(points={"lamp": LAMP, "fan": LAMP | {"channel": "18"}})
    desk.wait_point("fan", lambda point: point == {"ok": True})
    agent.terminate()
    said = agent.communicate(timeout=PATIENCE)[1]
    assert said.count("no next agent will find these outputs") == 1
