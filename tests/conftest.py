"""A running installation for end-to-end tests: `piio up` as a person starts it, in a state folder of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chromium import chromium
from tests.postgresql import PostgreSQL

__all__ = ["chromium"]

PIIO = Path(sys.executable).with_name("piio")

MARK = "PIIO_INSTALLATION"
"""A variable that every process of an installation inherits, also those whose command line does not name it."""


class RunningInstallation:
    """A `piio up` process and what it said."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self.said: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [PIIO, "up", "--state", state, "--no-open", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {MARK: str(state)},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def env(self) -> dict[str, str]:
        """What `env` in the state folder says."""
        lines = (self.state / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def url(self) -> str:
        """An operator's address."""
        return self.env["PIIO_URL"]

    @property
    def text(self) -> str:
        """All it said so far."""
        with self._news:
            return "\n".join(self.said)

    def wait_until_said(self, text: str, timeout: float = 30.0) -> None:
        """Wait until a line has the text."""
        with self._news:
            if not self._news.wait_for(
                lambda: text in "\n".join(self.said) or self.process.poll() is not None, timeout
            ):
                raise AssertionError(f"'{text}' was not said within {timeout} s, but:\n" + "\n".join(self.said))
        assert text in self.text, self.text

    def wait_until_running(self) -> None:
        """Wait until everything is at work."""
        self.wait_until_said("Ctrl-C stops")

    def pid(self, service: str) -> int | None:
        """The process of a service: broker, bridge, webapp or agent; outputs: the process that holds the lines."""
        if service == "outputs":
            return process_of(self.state, b"piio_agent.holder")
        words = (b"piio", service.encode())
        return next((pid for pid, command in self.processes().items() if _names(command, words)), None)

    def processes(self) -> dict[int, list[bytes]]:
        """Every process that has to do with this state folder, `piio up` left out."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            mentions = any(os.fsencode(self.state) in word for word in command)
            if mentions and int(folder.name) not in (self.process.pid, os.getpid()):
                found[int(folder.name)] = command
        return found

    def kill(self, service: str) -> int:
        """Kill a service by -9, when it is there; its process."""
        self.wait_until_replaced(service)
        pid = self.pid(service)
        assert pid is not None, f"no {service} is running"
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until_replaced(self, service: str, timeout: float = 5.0) -> None:
        """Wait until a killed service has a new process."""
        deadline = time.monotonic() + timeout
        while self.pid(service) is None:
            assert time.monotonic() < deadline, f"{service} was not started again:\n{self.text}"
            time.sleep(0.02)

    def wait_until_gone(self, timeout: float = 5.0) -> None:
        """Wait until no process of this installation is left."""
        deadline = time.monotonic() + timeout
        while self.processes():
            assert time.monotonic() < deadline, f"left running: {self.processes()}"
            time.sleep(0.02)

    def stop(self, by: signal.Signals = signal.SIGTERM, timeout: float = 12.0) -> int:
        """Stop it as a person does; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        status = self.process.wait(timeout)
        self._reader.join(5)
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.said.append(line.rstrip())
                self._news.notify_all()
        self.process.wait()
        with self._news:
            self._news.notify_all()


def process_of(state: Path, word: bytes) -> int | None:
    """The newest process of an installation with this word on its command line, which need not name the state."""
    mark = f"{MARK}={state}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, marks = ((folder / name).read_bytes().split(b"\0") for name in ("cmdline", "environ"))
        except OSError:
            continue
        if word in words and mark in marks:
            found.append(int(folder.name))
    return max(found, default=None)


def _names(command: list[bytes], words: tuple[bytes, ...]) -> bool:
    """Whether a command line is `… piio SERVICE …`."""
    bases = [word.rpartition(b"/")[2] for word in command[:3]]
    return any(tuple(bases[i : i + 2]) == words for i in range(2))


StartUp = Callable[..., RunningInstallation]


@contextmanager
def simulated_installation(folder: Path) -> Iterator[RunningInstallation]:
    """An installation with a simulated board `demo` at work in the folder, on ports of its own."""
    running = RunningInstallation(folder / "var", "--simulate", "--mqtt-port", "0", "--web-port", "0")
    try:
        running.wait_until_running()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstallation]:
    """One running installation with a simulated board `demo`, shared by all: leave it as you found it."""
    with simulated_installation(tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server, shared by all: make a database of your own in it."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def start_up(tmp_path: Path) -> Iterator[StartUp]:
    """Start installations of the test's own; they are stopped at its end."""
    started: list[RunningInstallation] = []

    def start(*options: str, state: Path | None = None) -> RunningInstallation:
        ports = [] if "--mqtt-port" in options else ["--mqtt-port", "0"]
        ports += [] if "--web-port" in options else ["--web-port", "0"]
        started.append(RunningInstallation(state or tmp_path / "var", "--simulate", *ports, *options))
        return started[-1]

    yield start
    for running in started:
        running.stop()
