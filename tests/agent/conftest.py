"""A broker, somebody who plays the bridge, and boards to try."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from piio.address import Address
from piio.connection import Connection, Message
from piio_agent.agent import Agent
from piio_agent.settings import SIMULATED, Identity
from piio_schemas.beacons import Beacon, BridgeBeacon
from piio_schemas.commands import Write, WriteResult
from piio_schemas.documents import encode
from tests.ports import free_port, wait_open

PATIENCE = 8.0

Line = tuple[str, str]


class Broker:
    """A Mosquitto of our own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        self.process = self._start()

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port)

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_open(self.port)
        return process

    def restart(self) -> None:
        self.stop()
        self.process = self._start()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Desk:
    """Somebody at the broker who hears everything of one agent, plays the bridge and asks for things."""

    def __init__(self, broker: Broker, agent: str = "demo") -> None:
        self.agent = agent
        self.heard: list[Message] = []
        self._news = threading.Condition()
        self._connection = Connection(broker.address, self._on_message)
        self._connection.open()
        self._connection.subscribe([("piio/#", 0)])
        self._bridge: threading.Thread | None = None
        self._bridge_gone = threading.Event()
        self._ids = iter(range(10_000))

    def close(self) -> None:
        self.hush()
        self._connection.close()

    def _on_message(self, message: Message) -> None:
        with self._news:
            self.heard.append(message)
            self._news.notify_all()

    def wait(self, wanted: Callable[[Message], Any], since: int = 0, timeout: float = PATIENCE) -> Message:
        """Wait for a message, heard since so many were; the first that is wanted."""
        deadline = time.monotonic() + timeout
        with self._news:
            seen = since
            while True:
                for message in self.heard[seen:]:
                    if wanted(message):
                        return message
                seen = len(self.heard)
                left = deadline - time.monotonic()
                assert left > 0, f"not heard; heard were {self.lines(since)[-40:]}"
                self._news.wait(left)

    def wait_for(self, topic: str, payload: str | None = None, since: int = 0, timeout: float = PATIENCE) -> Message:
        """Wait for a message of the agent on a topic."""
        full = f"piio/{self.agent}/{topic}"
        return self.wait(
            lambda m: m.topic == full and (payload is None or m.payload.decode(errors="replace") == payload),
            since,
            timeout,
        )

    def wait_json(self, topic: str, wanted: Callable[[Any], Any], since: int = 0, timeout: float = PATIENCE) -> Any:
        """Wait for a JSON document on a topic that is as wanted."""
        full = f"piio/{self.agent}/{topic}"
        found = self.wait(
            lambda m: m.topic == full and m.payload and wanted(msgspec.json.decode(m.payload)), since, timeout
        )
        return msgspec.json.decode(found.payload)

    def wait_applied(self, revision: int, since: int = 0) -> dict[str, Any]:
        """Wait until a revision is in force and return how its points fare."""
        return dict(self.wait_json("config/applied", lambda d: d["revision"] == revision, since)["points"])

    def wait_point(self, point: str, wanted: Callable[[Any], Any], since: int = 0) -> dict[str, Any]:
        """Wait until a point fares as wanted."""
        document = self.wait_json("config/applied", lambda d: wanted(d["points"].get(point, {})), since)
        return dict(document["points"][point])

    def lines(self, since: int = 0) -> list[Line]:
        """What was heard of the agent: pairs of topic and payload."""
        start = f"piio/{self.agent}/"
        return [
            (m.topic.removeprefix(start), m.payload.decode(errors="replace"))
            for m in self.heard[since:]
            if start in m.topic
        ]

    def raws(self, channel: str, since: int = 0) -> list[str]:
        """The raws heard of a channel."""
        return [payload for topic, payload in self.lines(since) if topic == f"raw/{channel}"]

    def now(self) -> int:
        """How many messages were heard so far."""
        return len(self.heard)

    def publish(self, topic: str, document: Any, retain: bool = False, qos: int = 1) -> None:
        """Publish below the agent."""
        payload = document if isinstance(document, bytes | str) else encode(document)
        self._connection.publish(f"piio/{self.agent}/{topic}", payload, qos, retain)

    def configure(
        self, revision: int = 1, points: dict[str, Any] | None = None, store: str = "s", epoch: int = 1
    ) -> None:
        """Publish a configuration as the bridge does."""
        document = {"store": store, "revision": revision, "epoch": epoch, "points": points or {}, "displays": {}}
        self.publish("config", document, retain=True)

    def beacon(self, boot: str = "bridge") -> None:
        """Publish one beacon of the bridge."""
        document = BridgeBeacon(boot, 1, time.monotonic(), 1.0, 1, time.time())
        self._connection.publish("piio/bridge/beacon", encode(document))

    def be_the_bridge(self, period: float = 0.5) -> None:
        """Publish beacons until `hush`."""
        self._bridge_gone.clear()
        self._bridge = threading.Thread(target=self._beacons, args=(period,), daemon=True)
        self._bridge.start()

    def hush(self) -> None:
        """The bridge falls silent."""
        self._bridge_gone.set()
        if self._bridge:
            self._bridge.join()
            self._bridge = None

    def _beacons(self, period: float) -> None:
        while not self._bridge_gone.is_set():
            self.beacon()
            self._bridge_gone.wait(period)

    def newest_beacon(self) -> Beacon:
        """The newest beacon heard of the agent."""
        self.wait_for("beacon")
        payload = [payload for topic, payload in self.lines() if topic == "beacon"][-1]
        return msgspec.json.decode(payload, type=Beacon)

    def write(self, channel: str, value: float, retain: bool = False, **other: Any) -> WriteResult:
        """Send a write as the bridge does and return its result."""
        id = other.pop("id", f"w{next(self._ids)}")
        since = self.now()
        fields = {"point": "lamp", "revision": 1, "epoch": 1, "value": value} | other
        fields.setdefault("beacon", self.newest_beacon().echo)
        self.publish(f"raw/{channel}/set", Write(id=id, **fields), retain)
        found = self.wait_json(f"raw/{channel}/result", lambda d: d["id"] == id, since)
        return msgspec.convert(found, WriteResult)


class Running:
    """An agent in this process, on a thread of its own."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._thread = threading.Thread(target=agent.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.agent.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the agent did not end"


@pytest.fixture(scope="module")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    found = Broker(tmp_path_factory.mktemp("broker"))
    yield found
    found.stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker for one test, which may restart it."""
    found = Broker(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """The agent's name: another one for each test, so that they may share a broker."""
    return f"a{abs(hash(request.node.nodeid)) % 10**9}"


@pytest.fixture
def make_desk(name: str) -> Iterator[Callable[[Broker], Desk]]:
    """Sit down at any broker."""
    made: list[Desk] = []

    def make_one(broker: Broker) -> Desk:
        made.append(Desk(broker, name))
        return made[-1]

    yield make_one
    for each in made:
        each.close()


@pytest.fixture
def desk(shared_broker: Broker, make_desk: Callable[[Broker], Desk]) -> Desk:
    return make_desk(shared_broker)


@pytest.fixture
def start_at(name: str, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start agents on a simulated board at any broker; they end with the test."""
    running: list[Running] = []

    def start_one(broker: Broker, **changes: Any) -> Running:
        fields = {"name": name, "address": broker.address, "interfaces": SIMULATED, "state": tmp_path}
        running.append(Running(Agent(Identity(**(fields | changes)))))
        return running[-1]

    yield start_one
    for each in running:
        each.stop()


@pytest.fixture
def start(shared_broker: Broker, desk: Desk, start_at: Callable[..., Running]) -> Callable[..., Running]:
    """Start agents on a simulated board, and wait until each has announced itself."""

    # Somebody who reads `offline` needs not wait whether a status will come.
    desk.publish("status", "offline", retain=True)

    def start_one(**changes: Any) -> Running:
        since = desk.now()
        running = start_at(shared_broker, **changes)
        desk.wait_for("beacon", since=since)
        return running

    return start_one


@pytest.fixture
def spawn(shared_broker: Broker, name: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start agents as processes of their own, as `piio agent` does, with a simulated board unless told otherwise.

    They are killed with the test.
    """
    spawned: list[subprocess.Popen[str]] = []

    def spawn_one(*arguments: str, hardware: tuple[str, ...] = ("--simulate",)) -> subprocess.Popen[str]:
        url = f"mqtt://127.0.0.1:{shared_broker.port}"
        command = [sys.executable, "-m", "piio", "agent", *hardware, "--name", name, "--url", url]
        spawned.append(
            subprocess.Popen([*command, "--state", str(tmp_path), *arguments], stderr=subprocess.PIPE, text=True)
        )
        return spawned[-1]

    yield spawn_one
    for each in spawned:
        each.kill()
        each.communicate()
