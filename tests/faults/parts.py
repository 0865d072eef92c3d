"""An installation in parts: each process is started by the test, where and with what clock the test wants."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import piio
from piio.address import Address, read_address
from piio.connection import Connection, Message
from piio.errors import PiioError
from piio.local_socket import nearest
from piio.private_file import make_private_folder
from piio.up.installation import Installation, Place
from piio_mosquitto.folder import BrokerFolder
from tests.conftest import MARK, PIIO, process_of
from tests.ports import free_port, is_open

PR_SET_PDEATHSIG = 1

LINES = (*range(2, 17), 18, 19, 20, 21, 25, 26)
"""GPIO lines of the simulated board that nothing is wired to; each is an output of its own, `s02` to `s26`."""

POINTS: dict[str, Any] = {
    "tank": {"interface": "adc", "channel": "0", "direction": "input", "equation": "x / 10"},
    "knob": {"interface": "adc", "channel": "3", "direction": "input"},
    "lamp": {"interface": "gpio", "channel": "17", "direction": "output", "lease": 4},
    **{f"s{line:02}": {"interface": "gpio", "channel": str(line), "direction": "output"} for line in LINES},
}

STARTING = 40.0
"""Seconds that all may take to come up on a busy machine, where that is not the subject."""

_libc = ctypes.CDLL(None, use_errno=True)


def eventually(condition: Callable[[], Any], what: str, within: float = 15.0) -> Any:
    """Return what the condition gives as soon as it is true."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError(f"within {within:g} s there was not: {what}")


def end_with_parent() -> None:
    """In a child that is about to begin: have the kernel kill it with whoever started it."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Part:
    """One process; `before` are the words in front of its command, such as those that enter a network."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._command = [*before, *command]
        self._log = log
        self._environment = environment or {}
        self._log_size = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> "Part":
        """Start it, or start it again."""
        with self._log.open("ab") as log:
            self._log_size = log.tell()
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0,
                env={**os.environ, **self._environment},
                preexec_fn=end_with_parent,
            )  # fmt: skip
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it and what it started; ending twice is fine."""
        if self._process is None:
            return
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGCONT)
            self._process.send_signal(number)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def kill(self) -> None:
        """End it by -9."""
        self.end(signal.SIGKILL)

    def wait_until_up(self) -> None:
        """Wait until it has begun its work, with or without a broker: it has threads, or has said something."""
        size = self._log_size
        begun = Path(f"/proc/{self.pid}/task")
        eventually(lambda: len(list(begun.iterdir())) > 1 or self._log.stat().st_size > size, f"a {self.name} at work")

    def wait_until_said(self, text: str) -> None:
        """Wait until its log has the text."""
        eventually(lambda: text in self._log.read_text(errors="replace"), f"'{text}' in {self._log.name}")


class Parts:
    """The processes of one state folder, and where they find each other."""

    def __init__(self, folder: Path, listen: str = "127.0.0.1") -> None:
        self.state = make_private_folder(folder / "var")
        self._folder = folder
        self._place = Place(listen, free_port(), free_port())
        self._installation = Installation(self.state, "demo")
        self._installation.ensure_identities()
        self._installation.write_files(self._place)
        self._parts: list[Part] = []

    @property
    def env(self) -> dict[str, str]:
        """What `env` in the state folder says."""
        return dict(line.split("=", 1) for line in (self.state / "env").read_text().splitlines())

    @property
    def mqtt_port(self) -> int:
        """The broker's port."""
        return self._place.mqtt_port

    @property
    def mosquitto(self) -> int:
        """Mosquitto's own process."""
        return int(eventually(lambda: BrokerFolder(self.state).pid(), "Mosquitto"))

    def start_all(self, **where: dict[str, Any]) -> dict[str, Part]:
        """Start broker, bridge, web app and the agent `demo`, and configure it; return them by name."""
        started = [self.broker(**where.get("broker", {})).start()]
        self.wait_for_broker()
        rest = {"bridge": self.bridge, "webapp": self.webapp, "agent": self.agent}
        started += [make(**where.get(name, {})).start() for name, make in rest.items()]
        self.configure(POINTS)
        return {part.name: part for part in started}

    def wait_for_broker(self) -> None:
        """Wait until the broker takes connections."""
        eventually(lambda: is_open(self._place.mqtt_port), "a broker")

    def configure(self, points: dict[str, Any], displays: dict[str, Any] | None = None) -> int:
        """Give the board these points and displays once it is known; the revision."""
        answers: list[object] = []

        def attempt() -> Any:
            try:
                with piio.connect(self.env["PIIO_ADMIN_URL"]) as client:
                    answer = client.configure("demo", config={"points": points, "displays": displays or {}})
            except PiioError as error:
                answers.append(error)
                return None
            answers.append(answer)
            return answer if answer.ok else None

        try:
            return int(eventually(attempt, "a board to configure", STARTING).revision)
        except AssertionError as error:
            raise AssertionError(f"{error}, but: {answers[-1]}") from None

    def broker(self, **where: Any) -> Part:
        """The broker."""
        place = self._place
        return self._part("broker", ["--port", str(place.mqtt_port), "--listen", place.listen], **where)

    def bridge(self, **where: Any) -> Part:
        """The bridge."""
        return self._part("bridge", self._near("bridge", **where), **where)

    def webapp(self, **where: Any) -> Part:
        """The web app."""
        options = ["--port", str(self._place.web_port), "--listen", where.get("listen", "127.0.0.1")]
        return self._part("webapp", [*self._near("webapp", **where), *options], **where)

    def agent(self, **where: Any) -> Part:
        """The agent `demo`."""
        return self._part("agent", ["--name", "demo", "--simulate", *self._as("demo", **where)], **where)

    def web_url(self, host: str = "127.0.0.1") -> str:
        """Where the web app serves."""
        return f"http://{host}:{self._place.web_port}"

    def address(self, user: str, host: str = "127.0.0.1") -> str:
        """The URL with which somebody reaches the broker."""
        return self._installation.address(user, self._place).url.replace("127.0.0.1", host)

    def connection(self, user: str, host: str = "127.0.0.1") -> Connection:
        """A connection of somebody's."""
        made = Connection(read_address(self.address(user, host)), _ignore)
        made.open()
        return made

    @property
    def outputs(self) -> int | None:
        """The process that holds the agent's lines, and outlives it."""
        return process_of(self.state, b"piio_agent.holder")

    def end_outputs(self) -> None:
        """Kill the process that holds the lines."""
        pid = self.outputs
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: self.outputs != pid, "an end of the outputs' process")

    def close(self) -> None:
        """End everything, the broker last."""
        for part in reversed(self._parts):
            part.kill()
        while self.outputs is not None:
            self.end_outputs()
        pid = BrokerFolder(self.state).pid()
        if pid:
            os.kill(pid, signal.SIGKILL)

    def _as(self, user: str, host: str = "127.0.0.1", **_: Any) -> list[str]:
        url = f"mqtt://{user}@{host}:{self._place.mqtt_port}"
        return ["--url", url, *self._secret(user)]

    def _near(self, user: str, host: str | None = None, **_: Any) -> list[str]:
        """As a service on the broker's own machine is started, unless it is to be elsewhere."""
        if host:
            return self._as(user, host)
        return ["--url", repr(nearest(Address("127.0.0.1", self.mqtt_port, user), self.state)), *self._secret(user)]

    def _secret(self, user: str) -> list[str]:
        return ["--password-file", str(self._installation.secret(user))]

    def _part(
        self, name: str, arguments: list[str], *, before: Sequence[str] = (), state: Path | None = None,
        environment: Mapping[str, str] | None = None, label: str = "", **_: Any,
    ) -> Part:  # fmt: skip
        command = [str(PIIO), name, *arguments, "--state", str(state or self.state)]
        log = self._folder / f"{label or name}.log"
        part = Part(label or name, command, log, before, {**(environment or {}), MARK: str(self.state)})
        self._parts.append(part)
        return part


def _ignore(_: Message) -> None:
    return
