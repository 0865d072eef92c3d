"""A real broker with its rights, and a stand-in for the bridge that can be told to fall silent, lie or die."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from piio.address import Address
from piio.connection import Connection, Message, Will
from piio_mosquitto.configuration import Listener
from piio_mosquitto.folder import BrokerFolder
from piio_mosquitto.process import Mosquitto
from piio_schemas.roles import Role
from tests.client.ear import Ear
from tests.ports import free_port

PEOPLE = {"anna": Role.ADMIN, "otto": Role.OPERATOR, "vera": Role.VIEWER, "demo": Role.AGENT}

CONFIGURATION = {
    "store": "b1946ac9",
    "revision": 7,
    "points": {
        "tank": {"interface": "adc", "channel": "0", "unit": "%", "label": "Tank level"},
        "pump": {"interface": "gpio", "channel": "17", "direction": "output"},
    },
    "displays": {},
}


class Broker:
    """A broker on a free port, with an admin, an operator, a viewer and a board."""

    def __init__(self, state: Path) -> None:
        self.folder = BrokerFolder(state)
        self.folder.make()
        self.folder.ensure_services()
        with self.folder.identities() as identities:
            for name, role in PEOPLE.items():
                identities.add(name, role, f"secret-of-{name}")
        self.port = free_port()
        self.folder.configure(Listener(address="127.0.0.1", port=self.port))
        self.start()

    def start(self) -> None:
        """Listen (again, on the same port)."""
        self.process = Mosquitto(self.folder)
        self.process.start()

    def address(self, name: str) -> Address:
        """Where the broker is for one identity."""
        secret = self.folder.secret(name)
        password = secret.read_text().strip() if secret.exists() else f"secret-of-{name}"
        return Address(host="127.0.0.1", port=self.port, user=name, password=password)

    @property
    def pid(self) -> int:
        """The number of its process."""
        pid = self.folder.pid()
        assert pid
        return pid

    def url(self, name: str = "otto") -> str:
        """The same as a URL."""
        return self.address(name).url


class Bridge:
    """A stand-in: beacons, retained states, and answers that a test chooses."""

    def __init__(self, broker: Broker) -> None:
        self.sets: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.outcome: dict[str, Any] | None = {"status": "done", "value": 1.0, "raw": 1.0}
        self.answer: dict[str, Any] | None = {"ok": True, "revision": 8, "warnings": []}
        self.answers: list[dict[str, Any]] = []
        self.on_set: Callable[[], None] = lambda: None
        self.on_request: Callable[[], None] = lambda: None
        self.echoes: set[float] = set()
        self._beating = threading.Event()
        self._stopped = threading.Event()
        self.connection = Connection(broker.address("bridge"), self._heard, will=Will("piio/bridge/status", b"offline"))
        self.connection.open()
        self.connection.subscribe([("piio/+/value/+/set", 0), ("piio/+/config/set", 1), ("piio/+/request/+", 1)])
        self.say("piio/bridge/status", "online")
        self.say("piio/demo/status", "online")
        self.say("piio/demo/capabilities", json.dumps({"agent": "demo", "board": {"model": "a simulated board"}}))
        self.say("piio/demo/config", json.dumps(CONFIGURATION))
        for point, value in (("tank", "62.5"), ("pump", "0")):
            self.say(f"piio/demo/value/{point}", value)
            self.say(f"piio/demo/quality/{point}", "good")
        self.speak()
        threading.Thread(target=self._beat, daemon=True).start()

    def say(self, topic: str, payload: str) -> None:
        """Publish a state."""
        self.connection.publish(topic, payload.encode(), 1, retain=True)

    def speak(self) -> None:
        """Send beacons."""
        self._beating.set()

    def hush(self) -> None:
        """Send no more beacons, while the status stays `online`."""
        self._beating.clear()

    def stop(self) -> None:
        """Leave cleanly."""
        self._stopped.set()
        if self.connection.connected:
            self.say("piio/bridge/status", "offline")
        self.connection.close()

    def _beat(self) -> None:
        while not self._stopped.wait(0.2) and self.connection.connected:
            if self._beating.is_set():
                tick = time.clock_gettime(time.CLOCK_BOOTTIME)
                self.echoes.add(tick)
                beacon = {"boot": "b1", "connection": 1, "tick": tick, "period": 0.2, "epoch": 1, "time": time.time()}
                self.connection.publish("piio/bridge/beacon", json.dumps(beacon))

    def _heard(self, message: Message) -> None:
        document = json.loads(message.payload)
        if "/value/" in message.topic:
            self.sets.append(document)
            self.on_set()
            if self.outcome:
                result = {"id": document["id"], **self.outcome}
                self.connection.publish(message.topic.removesuffix("set") + "result", json.dumps(result))
        else:
            self.requests.append((message.topic, document))
            self.on_request()
            answer = self.answers.pop(0) if self.answers else self.answer
            if answer is not None and message.response_topic:
                self.connection.request(
                    message.response_topic, json.dumps(answer).encode(), "piio/none", message.correlation or b""
                )


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of these tests' own, shared."""
    broker = Broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.process.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Broker]:
    """A broker that a test may stop and kill."""
    broker = Broker(tmp_path)
    yield broker
    broker.process.stop()


@pytest.fixture
def ear(own: Broker) -> Iterator[Ear]:
    """Somebody at that broker who hears what the board says in blocks, and has heard nothing yet."""
    ear = Ear(own.address("anna"))
    with Connection(own.address("demo"), lambda _: None) as demo:
        demo.publish("piio/demo/block/a/ready", b"1", 1)
        ear.wait(1)
    ear.heard.clear()
    yield ear
    ear.close()


@pytest.fixture
def bridge(broker: Broker) -> Iterator[Bridge]:
    """A bridge that says `done` to everything until a test wants something else."""
    bridge = Bridge(broker)
    yield bridge
    bridge.stop()


class Run:
    """What a command printed, and how long it took."""

    def __init__(self, arguments: list[str], environment: dict[str, str], stdin: str, folder: Path) -> None:
        began = time.monotonic()
        command = [sys.executable, "-c", "import sys; from piio.command import main; sys.exit(main())", *arguments]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=30, env=environment, cwd=folder, check=False
        )
        self.seconds = time.monotonic() - began
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr


@pytest.fixture
def piio(broker: Broker, tmp_path: Path) -> Callable[..., Run]:
    """Run `piio …` as somebody, in an empty folder; `url=None`: nobody says where the broker is."""

    def run(*arguments: str, user: str = "otto", url: str | None = "", stdin: str = "") -> Run:
        chosen = broker.url(user) if url == "" else url
        environment = {"PATH": "/usr/bin:/bin", **({"PIIO_URL": chosen} if chosen else {})}
        return Run(list(arguments), environment, stdin, tmp_path)

    return run
