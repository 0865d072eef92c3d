"""A broker, a bridge and thousands of played agents, each in a process of its own, and somebody who watches."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from sqlalchemy import insert

from piio.child import PR_SET_PDEATHSIG
from piio_bridge.control.board import plain
from piio_bridge.store.database import open_database, transaction
from piio_bridge.store.lease import Lease
from piio_bridge.store.tables import BOARDS, REVISIONS
from piio_mosquitto.folder import BrokerFolder
from piio_mosquitto.password import new_password
from piio_schemas.configuration import read_configuration
from piio_schemas.roles import Role
from tests.benchmarks import crowd_packets as mqtt
from tests.benchmarks.crowd_player import CHANNELS
from tests.ports import free_port, wait_open

_libc = ctypes.CDLL(None)

PATIENCE = 240.0

SAY = 5.0
"""Seconds between two words on how far it is."""

WATCHER = "watcher"

POINTS = {
    f"level{n}": {
        "interface": "adc", "channel": str(n), "label": f"Level {n}", "unit": "%", "period": 10, "idle_period": 10,
        "equation": "(float(x) / 1023) * 100",
    }
    for n in range(CHANNELS)
}  # fmt: skip


class Load(Struct, frozen=True):
    """What a process has used and occupies: seconds of CPU, and megabytes of memory of its own."""

    cpu: float
    memory: float
    at: float

    @classmethod
    def of(cls, pid: int) -> "Load":
        """Look at a process."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        private = sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty", "Private_Clean")))
        return cls((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), private / 1024, time.monotonic())


class Crowd:
    """An installation for so many boards in a folder; `with` is its lifetime. Nothing runs until it is told to."""

    def __init__(self, folder: Path, count: int) -> None:
        self.count = count
        self.port = free_port()
        self.folder = folder
        self.broker_folder = BrokerFolder(folder / "var")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._passwords = [new_password() for _ in range(count)]
        self._watcher = new_password()
        self._make_identities()

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("player", "agent", "bridge", "broker"):
            if name in self.processes:
                self.stop(name)

    def start_broker(self) -> None:
        """Start it as `piio broker` does."""
        state = str(self.broker_folder.state)
        self._spawn("broker", "-m", "piio", "broker", "--state", state, "--port", str(self.port))
        wait_open(self.port, PATIENCE)

    def start_bridge(self) -> None:
        """Start the bridge; it is at work when its status says so."""
        url = f"mqtt://bridge@127.0.0.1:{self.port}"
        password = str(self.broker_folder.secret("bridge"))
        state = str(self.broker_folder.state)
        self._spawn("bridge", "-m", "piio", "bridge", "--url", url, "--password-file", password, "--state", state)

    def start_agent(self) -> None:
        """Start a real agent in the place of the first that is played."""
        password = self.folder / "agent.password"
        password.write_text(self._passwords[0])
        url = f"mqtt://crowd0@127.0.0.1:{self.port}"
        arguments = ("--url", url, "--password-file", str(password), "--state", str(self.folder))
        self._spawn("agent", "-m", "piio", "agent", "--simulate", "--name", "crowd0", *arguments)

    def start_player(self) -> None:
        """Have all agents come, within a second or so."""
        (self.folder / "passwords").write_text("\n".join(self._passwords))
        arguments = ("-m", "tests.benchmarks.crowd_player", str(self.port), str(self.folder), str(self.count))
        self._spawn("player", *arguments)

    def ask_player(self) -> dict[str, int]:
        """How the agents fare."""
        player = self.processes["player"]
        assert player.stdin
        assert player.stdout
        player.stdin.write(b"\n")
        player.stdin.flush()
        answer: dict[str, int] = json.loads(player.stdout.readline())
        return answer

    def stop(self, name: str, by: signal.Signals = signal.SIGTERM) -> None:
        """End one of the processes."""
        process = self.processes.pop(name)
        process.send_signal(by)
        if process.stdin:
            process.stdin.close()
        process.wait(60)

    def mosquitto(self) -> int:
        """The process of Mosquitto."""
        pid = self.broker_folder.pid()
        assert pid is not None
        return pid

    def lose_broker(self) -> None:
        """Kill Mosquitto, which forgets all; it is started again at once."""
        self.broker_folder.database.unlink(missing_ok=True)
        os.kill(self.mosquitto(), signal.SIGKILL)

    def load(self, name: str) -> Load:
        """What one of the processes has used."""
        return Load.of(self.mosquitto() if name == "broker" else self.processes[name].pid)

    def watch(self) -> "Watcher":
        """Have somebody watch."""
        return Watcher(self.port, self._watcher, self.count)

    def store_configurations(self, capabilities: str) -> None:
        """Put each board with its configuration into the database, as a bridge that led before has left it."""
        (self.folder / "capabilities").write_text(capabilities)
        document = json.dumps(plain(read_configuration({"points": POINTS})))
        names = [f"crowd{number}" for number in range(self.count)]
        engine = open_database(f"sqlite:///{self.broker_folder.state / 'bridge.db'}")
        Lease(engine)
        with transaction(engine) as connection:
            boards = [{"agent": name, "capabilities": capabilities.replace("@NAME@", name)} for name in names]
            connection.execute(insert(BOARDS), boards)
            revision = {"revision": 1, "updated": "2026-11-21T09:30:00Z", "by": "anna", "document": document}
            connection.execute(insert(REVISIONS), [{"agent": name, **revision} for name in names])
        engine.dispose()

    def _make_identities(self) -> None:
        self.broker_folder.ensure_services()
        with self.broker_folder.identities() as identities:
            identities.add(WATCHER, Role.VIEWER, self._watcher)
            for number, password in enumerate(self._passwords):
                identities.add(f"crowd{number}", Role.AGENT, password)

    def _spawn(self, name: str, *arguments: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} if name == "player" else {}
        command = [sys.executable, *arguments]
        self.processes[name] = subprocess.Popen(command, stderr=log, preexec_fn=_die_with_us, **pipes)


def _die_with_us() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class Watcher:
    """Hears all qualities and the bridge's status; `with` is its lifetime."""

    def __init__(self, port: int, password: str, count: int) -> None:
        self._port = port
        self._password = password
        self._wanted = count * CHANNELS
        self._good: set[str] = set()
        self._online = False
        self._capabilities = b""
        self._rest = b""
        self._sock: socket.socket | None = None

    def __enter__(self) -> "Watcher":
        self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        if self._sock:
            self._sock.close()

    def capabilities(self) -> str:
        """What the only board says of itself, `@NAME@` in the place of its name."""
        assert self._sock
        self._sock.sendall(mqtt.subscribe([("piio/crowd0/capabilities", 0)]))
        self._hear_until(lambda: bool(self._capabilities), "capabilities")
        return self._capabilities.decode().replace("crowd0", "@NAME@")

    def wait_online(self) -> None:
        """Wait until the bridge is online."""
        self._hear_until(lambda: self._online, "an online bridge")

    def wait_offline(self) -> None:
        """Wait until it is offline, or the broker is gone."""
        self._hear_until(lambda: not self._online, "a bridge that is gone")

    def wait_good(self, say: Callable[[str], None]) -> float:
        """Return the seconds until all points are good and the bridge is online; what was heard before is forgotten."""
        self._good.clear()
        begun = said = time.monotonic()

        def done() -> bool:
            nonlocal said
            if time.monotonic() - said > SAY:
                said = time.monotonic()
                say(f"{len(self._good)} of {self._wanted} points are good after {said - begun:.0f} s")
            return self._online and len(self._good) == self._wanted

        self._hear_until(done, "good points")
        return time.monotonic() - begun

    def _hear_until(self, done: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < until, f"waited in vain for {what}"
            self._hear()

    def _connect(self) -> None:
        while True:
            try:
                self._sock = socket.create_connection(("127.0.0.1", self._port), 10)
                break
            except OSError:
                time.sleep(0.05)
        self._rest, self._online = b"", False
        self._sock.sendall(mqtt.connect("watcher", WATCHER, self._password, 0))
        self._sock.sendall(mqtt.subscribe([("piio/+/quality/+", 0), ("piio/bridge/status", 0)]))

    def _hear(self) -> None:
        assert self._sock
        try:
            self._sock.settimeout(1.0)
            data = self._sock.recv(1 << 20)
        except TimeoutError:
            return
        except OSError:
            data = b""
        if not data:
            self._connect()
            return
        packets, self._rest = mqtt.split(self._rest + data)
        for topic, payload, _ in mqtt.publishes(packets):
            if topic == "piio/bridge/status":
                self._online = payload == b"online"
            elif topic.endswith("/capabilities"):
                self._capabilities = payload
            elif payload == b"good":
                self._good.add(topic)
            else:
                self._good.discard(topic)


def simulated_capabilities() -> str:
    """What a simulated board says of itself, `@NAME@` in the place of its name."""
    with tempfile.TemporaryDirectory() as folder, Crowd(Path(folder), 1) as crowd:
        crowd.start_broker()
        with crowd.watch() as watcher:
            crowd.start_agent()
            return watcher.capabilities()
