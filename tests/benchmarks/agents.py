"""How many changes a second an agent publishes, what each costs it, and what it costs while nothing changes.

Its hardware is a driver that does nothing but change (drivers/restless.py); the work of that is part of the figures.
Beside it, in the same rounds, a plain paho loop that publishes as much. What was published is counted at the broker.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from piio.connection import Connection
from piio.up.demonstration import POINTS
from piio_schemas.beacons import BridgeBeacon
from piio_schemas.documents import encode
from tests.agent.conftest import Broker
from tests.benchmarks.figure import Figure, at_least, at_most
from tests.benchmarks.run import Numbers, Run
from tests.benchmarks.stand import cpu_of, memory_of
from tests.benchmarks.tally import Tally

TITLE = "An agent: many changes at once, and none"

SECONDS = 2.0
"""How long is counted, after as long a run-up."""

REST = 5.0
"""The same where hardly anything happens."""

NAME = "bench"

DRIVERS = Path(__file__).parent / "drivers"

PAHO = "plain paho loop"

LINES = {f"line{n}": {"interface": "lines", "channel": str(n), "direction": "input"} for n in range(64)}
INPUTS = {
    f"input{n}": {"interface": "lines", "channel": f"a{n}", "direction": "input", "period": 0.001} for n in range(16)
}


class Load(Struct, frozen=True):
    """What an agent is given to do."""

    title: str
    points: dict[str, Any]
    changes: int
    """A second, of all points together."""
    driver: str = "restless"


TOGETHER = Load("64 lines changing together", LINES, 12_800)
APART = Load("64 lines that the outputs' process reads", LINES, 12_800, "restless_apart")
POLLED = Load("16 inputs polled at 1 ms", INPUTS, 16_000)
LOADS = (TOGETHER, POLLED, APART)


def measure(run: Run) -> list[Figure]:
    """Each load, beside a plain paho loop with as many changes; and the simulated board at rest and looked at."""
    with tempfile.TemporaryDirectory() as name:
        folder, broker = Path(name), Broker(Path(name))
        contenders: dict[str, Callable[[], Numbers]] = {
            load.title: partial(_busy, broker, load, folder) for load in LOADS
        }
        contenders |= {_plain_title(load): partial(_plain, broker, load) for load in (TOGETHER, POLLED)}
        contenders |= {
            "at rest": partial(_quiet, broker, folder, looked_at=False),
            "looked at": partial(_quiet, broker, folder, looked_at=True),
        }
        try:
            found = run.interleaved(contenders)
        finally:
            broker.stop()
    return [
        *(figure for load in LOADS for figure in _figures(load, found)),
        Figure(what="the simulated board of the first start, at rest", number=found["at rest"]["core"],
               unit="% of a core"),
        Figure(what="the same while somebody looks", number=found["looked at"]["core"], unit="% of a core"),
        Figure(what="memory of its two processes", number=found["at rest"]["memory"], unit="MB", reach=at_most(60)),
    ]  # fmt: skip


def _figures(load: Load, found: dict[str, dict[str, float]]) -> list[Figure]:
    ours, plain = found[load.title], found.get(_plain_title(load), {})

    def other(name: str) -> dict[str, float]:
        return {PAHO: plain[name]} if plain else {}

    what = f"{load.title}, of {load.changes:,} changes/s"
    return [
        Figure(what=f"{what}: published", number=ours["rate"], unit="/s", compared=other("rate"),
               reach=at_least(10_000)),
        Figure(what="processor time for each", number=ours["cpu"], unit="µs", compared=other("cpu"),
               reach=at_most(60)),
    ]  # fmt: skip


def _plain_title(load: Load) -> str:
    return f"{PAHO}, {load.changes:,}/s"


def _busy(broker: Broker, load: Load, folder: Path) -> Numbers:
    file = folder / "agent.toml"
    rate = load.changes / len(load.points)
    file.write_text(f'[interfaces.lines]\ndriver = "{load.driver}"\nrate = {rate}\n')
    hardware = ["--config", file, "--interfaces-dir", DRIVERS]
    with _bridge(broker, load.points, looked_at=True), _agent(broker, hardware, folder) as pid:
        return _count(broker, NAME, pid)


def _plain(broker: Broker, load: Load) -> Numbers:
    command = [sys.executable, "-m", "tests.benchmarks.peers.paho_publisher", str(broker.port), str(load.changes)]
    with _running(command) as pid:
        return _count(broker, "plain", pid)


def _quiet(broker: Broker, folder: Path, *, looked_at: bool) -> Numbers:
    with _bridge(broker, POINTS, looked_at=looked_at), _agent(broker, ["--simulate"], folder) as pid:
        time.sleep(SECONDS)
        began, busy = time.monotonic(), _cpu(pid)
        time.sleep(REST)
        core = (_cpu(pid) - busy) / (time.monotonic() - began)
        return {"core": core * 100, "memory": sum(map(memory_of, _family(pid)))}


def _count(broker: Broker, who: str, pid: int) -> Numbers:
    tally = Tally(broker.address, f"piio/{who}/raw/#")
    try:
        tally.wait(2000)
        time.sleep(SECONDS)
        began, count, busy = time.monotonic(), tally.count, _cpu(pid)
        time.sleep(SECONDS)
        taken, count, busy = time.monotonic() - began, tally.count - count, _cpu(pid) - busy
    finally:
        tally.close()
    return {"rate": count / taken, "cpu": busy / max(1, count) * 1e6}


@contextmanager
def _bridge(broker: Broker, points: dict[str, Any], *, looked_at: bool) -> Iterator[None]:
    """Configure the agent, be heard as its bridge and, if told so, look at it."""
    over = threading.Event()
    configuration = {"store": "s", "revision": 1, "epoch": 1, "points": points}
    with Connection(broker.address, lambda _: None) as connection:

        def be_there() -> None:
            while not over.wait(1.0):
                beacon = BridgeBeacon("bridge", 1, time.monotonic(), 1.0, 1, time.time())
                connection.publish("piio/bridge/beacon", encode(beacon))
                if looked_at:
                    connection.publish(f"piio/{NAME}/viewers/anna", b'{"seconds": 5}', 1)

        connection.publish(f"piio/{NAME}/config", json.dumps(configuration), 1, retain=True)
        thread = threading.Thread(target=be_there, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@contextmanager
def _agent(broker: Broker, hardware: list[Any], folder: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "piio", "agent", *hardware, "--name", NAME]
    command += ["--url", f"mqtt://127.0.0.1:{broker.port}"]
    with tempfile.TemporaryDirectory(dir=folder) as state, _running([*command, "--state", state]) as pid:
        yield pid


@contextmanager
def _running(command: list[Any]) -> Iterator[int]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def _family(pid: int) -> list[int]:
    """A process and those it started."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [pid, *(int(child) for thread in threads for child in (thread / "children").read_text().split())]


def _cpu(pid: int) -> float:
    """Seconds of a core that a process and those it started have taken so far."""
    return sum(map(cpu_of, _family(pid)))
