"""A bench in the guest: Mosquitto, bridge and agent as processes of their own, and somebody who hears all they say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from piio.address import Address
from piio.connection import Connection, Message
from tests.hardware.guest.sim_chip import SimChip
from tests.ports import wait_open
from tests.standstill import stopped

PATIENCE = 10.0
PORT = 1883
BOARD = "bench"

AGENT = f"""
name = "{BOARD}"
url = "mqtt://{BOARD}@127.0.0.1:{PORT}"
[interfaces.gpio]
driver = "gpiod"
chip = "pinctrl-bcm2711"
groups = {{ port = [24, 25, 26] }}
[interfaces.adc]
driver = "mcp3008"
bus = 0
device = 0
[interfaces.absent]
driver = "gpiod"
chip = "pinctrl-rp1"
[interfaces.kernel]
driver = "iio"
device = "mcp3008"
[interfaces.expander]
driver = "pcf8574"
[interfaces.big_expander]
driver = "mcp23017"
address = 0x76
[interfaces.pulses]
driver = "pwm"
"""

ON_THE_OTHER_INTERFACES: dict[str, Any] = {
    "well": {"interface": "kernel", "channel": "2"},
    "lamp": {"interface": "expander", "channel": "1", "direction": "output"},
    "gate": {"interface": "expander", "channel": "2"},
    "fan": {"interface": "big_expander", "channel": "3", "direction": "output"},
    "servo": {"interface": "pulses", "channel": "0", "direction": "output"},
}
"""Points for every interface but `gpio` and `adc`."""

# Root may open every file: without this it may those that are its own, as anybody else.
AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")

HOLD = """
import gpiod, sys
settings = gpiod.LineSettings(direction=gpiod.line.Direction.OUTPUT, output_value=gpiod.line.Value.ACTIVE)
with gpiod.request_lines(sys.argv[1], consumer="pump-daemon", config={int(sys.argv[2]): settings}):
    print("held", flush=True)
    sys.stdin.read()
"""


class Ear:
    """Hears every message of the board and when it came."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, Message]] = []
        self._news = threading.Condition()
        self._online = threading.Event()
        self._connection = Connection(Address("127.0.0.1", PORT, "ear"), self._hear)
        self._connection.open()
        self._connection.subscribe([(f"piio/{BOARD}/#", 0), ("piio/bridge/status", 0)])

    def _hear(self, message: Message) -> None:
        if message.topic == "piio/bridge/status" and message.payload == b"online":
            self._online.set()
        with self._news:
            self.heard.append((time.monotonic(), message))
            self._news.notify_all()

    def wait_until_online(self) -> None:
        """Wait until the bridge is, and has a configuration for the board: from then on it may be asked for another."""
        assert self._online.wait(2 * PATIENCE), "the bridge does not come"
        self.wait("config", bool)

    def now(self) -> int:
        """How many messages were heard so far."""
        return len(self.heard)

    def say(self, topic: str, payload: str) -> None:
        """Publish below the board, as any other MQTT client does."""
        self._connection.publish(f"piio/{BOARD}/{topic}", payload, 1)

    def wait(self, topic: str, wanted: Callable[[str], Any], since: int = 0, within: float = PATIENCE) -> Message:
        """Return the first message on a topic that is as wanted, heard since so many were."""
        return self.wait_timed(topic, wanted, since, within)[1]

    def wait_timed(
        self, topic: str, wanted: Callable[[str], Any], since: int = 0, within: float = PATIENCE
    ) -> tuple[float, Message]:
        """Return also when it came (monotonic)."""
        end = time.monotonic() + within
        seen = since
        with self._news:
            while True:
                for at, message in self.heard[seen:]:
                    if message.topic == f"piio/{BOARD}/{topic}" and wanted(message.payload.decode()):
                        return at, message
                seen = len(self.heard)
                left = end - time.monotonic()
                assert left > 0, f"not heard on {topic}; heard there was {self.payloads(topic, since)[-20:]}"
                self._news.wait(left)

    def wait_for(self, topic: str, payload: str, since: int = 0) -> tuple[float, Message]:
        """Return the first message on a topic with this payload, and when it came."""
        return self.wait_timed(topic, lambda heard: heard == payload, since)

    def wait_json(self, topic: str, wanted: Callable[[Any], Any], since: int = 0) -> Any:
        """Return the first JSON document on a topic that is as wanted."""
        found = self.wait(topic, lambda payload: payload and wanted(json.loads(payload)), since)
        return json.loads(found.payload)

    def wait_for_plain_sets(self, within: float = 2 * PATIENCE) -> None:
        """Wait until the bridge takes plain sets: for its first two seconds it takes echoed ones only."""
        end, reason = time.monotonic() + within, ""
        while "has no point" not in reason:
            assert time.monotonic() < end, f"plain sets are not taken: {reason}"
            since = self.now()
            self.say("value/nothing/set", "0")
            reason = self.wait_json("value/nothing/result", bool, since)["reason"]
            self.wait("beacon", bool, since)

    def payloads(self, topic: str, since: int = 0) -> list[str]:
        """What was heard on a topic."""
        return [m.payload.decode() for _, m in self.heard[since:] if m.topic == f"piio/{BOARD}/{topic}"]

    def last(self, topic: str) -> str:
        """The newest payload on a topic."""
        return (self.payloads(topic) or ["(nothing)"])[-1]

    def close(self) -> None:
        self._connection.close()


class Bench:
    """The processes, the chip they drive, and what was heard of them."""

    def __init__(self, chip: SimChip, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.chip = chip
        self._folder = folder
        self._environment = environment or {}
        (folder / "mosquitto.conf").write_text(
            f"listener {PORT} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        )
        (folder / "agent.toml").write_text(AGENT)
        self._broker = self._start("broker", "mosquitto", "-c", str(folder / "mosquitto.conf"))
        wait_open(PORT)
        bridge = ("bridge", "--url", f"mqtt://bridge@127.0.0.1:{PORT}", "--state", str(folder / "bridge"))
        self._bridge = self._start("bridge", sys.executable, "-m", "piio", *bridge)
        self.agent = self.start_agent()
        self.ear = Ear()

    def _start(self, name: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | environment
            )

    def start_agent(self) -> subprocess.Popen[bytes]:
        """Start the agent (again)."""
        where = ("--config", str(self._folder / "agent.toml"), "--state", str(self._folder / "state"))
        self.agent = self._start(
            "agent", *AS_ANYBODY, sys.executable, "-m", "piio", "agent", *where, **self._environment
        )
        return self.agent

    def kill_agent(self, and_holder: bool) -> None:
        """End the agent, and the process that holds its outputs, without a chance to do anything."""
        holder = self.holder
        self.agent.kill()
        if and_holder:
            os.kill(holder, signal.SIGKILL)
        self.agent.wait()

    @property
    def holder(self) -> int:
        """The process that holds the agent's outputs."""
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            if b"piio_agent.holder" in each.read_bytes().split(b"\0"):
                return int(each.parent.name)
        raise AssertionError("nobody holds the outputs")

    def log(self, name: str) -> str:
        """What a process has complained about."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def memory(self) -> dict[str, float]:
        """MB that the agent's process and that of its outputs occupied at most."""
        return {"agent": _most_memory(self.agent.pid), "process of its outputs": _most_memory(self.holder)}

    def stop(self) -> None:
        """End the processes that were started."""
        self.ear.close()
        for process in (self.agent, self._bridge, self._broker):
            process.kill()
            process.wait()

    @contextmanager
    def held(self, line: int) -> Iterator[subprocess.Popen[str]]:
        """Another program holds a line, as an output that is on, until it is told to let go."""
        command = [sys.executable, "-c", HOLD, f"/dev/{self.chip.name}", str(line)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            yield holder
            if holder.poll() is None:
                holder.communicate()

    @contextmanager
    def stopped_agent(self) -> Iterator[None]:
        """The agent's process stands still."""
        with stopped(self.agent.pid):
            yield


class Recorder:
    """Looks at lines every other millisecond, and keeps each new set of levels."""

    def __init__(self, chip: SimChip, *lines: int) -> None:
        self.seen: list[tuple[int, ...]] = []
        self._chip = chip
        self._lines = lines
        self._looking = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, daemon=True)

    def __enter__(self) -> Recorder:
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.look()

    def look(self) -> None:
        """Look now."""
        with self._looking:
            levels = tuple(self._chip.value(line) for line in self._lines)
            if not self.seen or self.seen[-1] != levels:
                self.seen.append(levels)

    def wait_for(self, line: int, level: int) -> None:
        """Wait until a line is seen at a level."""
        end = time.monotonic() + PATIENCE
        while self.moves[line][-1] != level:
            assert time.monotonic() < end, f"line {line} was not seen at {level}: {self.moves[line]}"
            time.sleep(0.005)

    @property
    def moves(self) -> dict[int, list[int]]:
        """The levels that each line had, one after the other."""
        each = zip(self._lines, zip(*self.seen, strict=True), strict=True)
        return {line: [level for level, _ in groupby(levels)] for line, levels in each}

    def _keep_looking(self) -> None:
        while not self._over.wait(0.002):
            self.look()


def _most_memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6
