"""An ordeal: processes are killed and stopped at random while somebody drives outputs and changes the configuration."""

import os
import random
import signal
import threading
import time
from typing import Any

from msgspec import Struct

import piio
from piio.address import read_address
from piio.connection import Connection, Message
from piio.errors import PiioError
from piio_mosquitto.folder import BrokerFolder
from piio_schemas.documents import encode, read_json
from tests.conftest import RunningInstallation

MAX_ON = {"m1": 2.0, "m2": 3.0, "m3": 1.0, "h1": 3.0, "p1": 2.0}
"""Seconds that these points may be on; `h1` is to stay as it is when the bridge is lost."""

INTERLOCKED = ("i1", "i2", "i3")
DEAD_TIME = 0.3

LINES = {"m1": 2, "m2": 3, "m3": 4, "h1": 5, "p1": 6, "i1": 7, "i2": 8, "i3": 9, "f1": 10, "f2": 11}

LEAST_STOP, LONGEST_STOP = 0.2, 12.0
"""Seconds that a process is stopped."""

TTL = 2.0


def points() -> dict[str, Any]:
    """Return the configuration of the ordeal, besides the demonstration's own points."""
    made: dict[str, Any] = {
        name: {"interface": "gpio", "channel": str(line), "direction": "output", "lease": 4}
        for name, line in LINES.items()
    }
    for name, seconds in MAX_ON.items():
        made[name]["max_on"] = seconds
    for name in INTERLOCKED:
        made[name]["interlock"] = {"group": "motor", "dead_time": DEAD_TIME}
    made["h1"]["on_lost"] = "hold"
    return made


class Asked(Struct, frozen=True):
    """A set that may bring a line on, and when it was sent, on CLOCK_MONOTONIC."""

    point: str
    at: float
    echoed: bool


class Acknowledged(Struct, frozen=True):
    """A change of the configuration that the bridge said is in force."""

    revision: int
    label: str


class Stop(Struct, frozen=True):
    """A process that stood still, from and to, on CLOCK_MONOTONIC."""

    service: str
    begun: float
    ended: float


class Driver(threading.Thread):
    """Sends random sets, pulses and toggles, echoed or plain, whenever there is a broker."""

    def __init__(self, url: str, dice: random.Random) -> None:
        super().__init__(name="driver", daemon=True)
        self.asked: list[Asked] = []
        self.stopping = threading.Event()
        self._address = read_address(url)
        self._dice = dice
        self._beacon: dict[str, Any] | None = None
        self._connection: Connection | None = None

    def run(self) -> None:
        """Drive until told to stop."""
        while not self.stopping.wait(self._dice.uniform(0.02, 0.15)):
            try:
                self._drive()
            except PiioError:
                self._beacon = None
                if self._connection:
                    self._connection.close()
                self._connection = None
        if self._connection:
            self._connection.close()

    def _drive(self) -> None:
        if self._connection is None:
            connection = Connection(self._address, self._hear)
            connection.open(5)
            connection.subscribe([("piio/bridge/beacon", 0)])
            self._connection = connection
        point = self._dice.choice(list(LINES))
        document: dict[str, Any] = {"value": self._dice.choice((1, 1, 0, "toggle"))}
        if document["value"] == 1 and self._dice.random() < 0.3:
            document["pulse"] = round(self._dice.uniform(0.1, 3.0), 2)
        if self._beacon and self._dice.random() < 0.5:
            document["beacon"] = self._beacon
        if document["value"] != 0:
            self.asked.append(Asked(point, time.monotonic(), "beacon" in document))
        self._connection.publish(f"piio/demo/value/{point}/set", encode(document), self._dice.choice((0, 1)))

    def _hear(self, message: Message) -> None:
        beacon = read_json(message.payload)
        self._beacon = {key: beacon[key] for key in ("boot", "connection", "tick")}


class Author(threading.Thread):
    """Changes the configuration again and again, and notes what was acknowledged."""

    def __init__(self, url: str) -> None:
        super().__init__(name="author", daemon=True)
        self.acknowledged: list[Acknowledged] = []
        self.stopping = threading.Event()
        self._url = url

    def run(self) -> None:
        """Write until told to stop."""
        number = 0
        while not self.stopping.wait(0.5):
            number += 1
            label = f"label {number}"
            try:
                with piio.connect(self._url, timeout=3) as client:
                    answer = client.configure("demo", {"points": {"f1": {"label": label}}})
            except PiioError:
                continue
            if answer.ok:
                self.acknowledged.append(Acknowledged(int(answer.revision or 0), label))


class Ordeal:
    """Kills and stops the processes of an installation that starts what dies."""

    def __init__(self, running: RunningInstallation, seed: int) -> None:
        self.running = running
        self.stops: list[Stop] = []
        self.faults: list[str] = []
        self._dice = random.Random(seed)
        self._sleepers: list[threading.Thread] = []
        self.driver = Driver(running.env["PIIO_URL"], random.Random(seed + 1))
        self.author = Author(running.env["PIIO_ADMIN_URL"])

    def go(self, count: int) -> None:
        """Do so many things to processes, with little time between two; at the end all of them go on."""
        self.driver.start()
        self.author.start()
        for _ in range(count):
            self._hurt(self._dice.choice(self.services()))
            time.sleep(self._dice.expovariate(1 / 1.5))
        for sleeper in self._sleepers:
            sleeper.join()

    def finish(self) -> None:
        """Ask for nothing any more."""
        for thread in (self.driver, self.author):
            thread.stopping.set()
            thread.join(20)

    def stops_of_lines(self) -> list[Stop]:
        """Return when the process that holds the lines stood still."""
        return [stop for stop in self.stops if stop.service == "outputs"]

    def services(self) -> list[str]:
        """Return the names of what may be hurt."""
        return ["broker", "bridge", "webapp", "agent", "outputs"]

    def pid(self, service: str) -> int | None:
        """The process of a service now; of the broker, Mosquitto's own."""
        if service == "broker":
            return BrokerFolder(self.running.state).pid()
        return self.running.pid(service)

    def _hurt(self, service: str) -> None:
        pid = self.pid(service)
        if pid is None:
            return  # it is being started again
        if self._dice.random() < 0.5:
            self.faults.append(f"kill {service}")
            _signal(pid, signal.SIGKILL)
            return
        seconds = self._dice.uniform(LEAST_STOP, LONGEST_STOP)
        self.faults.append(f"stop {service} for {seconds:.1f} s")
        sleeper = threading.Thread(target=self._stop, args=(service, pid, seconds), daemon=True)
        sleeper.start()
        self._sleepers.append(sleeper)

    def _stop(self, service: str, pid: int, seconds: float) -> None:
        begun = time.monotonic()
        _signal(pid, signal.SIGSTOP)
        time.sleep(seconds)
        _signal(pid, signal.SIGCONT)
        self.stops.append(Stop(service, begun, time.monotonic()))


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended meanwhile
