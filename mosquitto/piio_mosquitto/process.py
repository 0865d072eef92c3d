"""Mosquitto as a child process: found, started, watched, and its damaged database moved out of its way."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path

from piio.child import spawn
from piio_mosquitto.configuration import Listener
from piio_mosquitto.errors import BrokerError
from piio_mosquitto.folder import BrokerFolder

START_TIMEOUT = 10.0
"""Seconds Mosquitto may take to listen."""

STOP_TIMEOUT = 4.0
"""Seconds it may take to write its database and go."""

RUNNING = "running"
"""Mosquitto's last word of `mosquitto version 2.0.11 running`."""

KNOWN = ("should not be run as root", "It is recommended to replace `message_size_limit`")
"""What it says at every start about things that are meant: it keeps the user who may read its files."""


def find_mosquitto() -> str:
    """Return the path of Mosquitto; Debian puts it where ordinary users do not look. BrokerError says what to type."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        raise BrokerError("Mosquitto is not installed: type `sudo apt-get install mosquitto`")
    return found


def check_free(listener: Listener) -> None:
    """Raise BrokerError when somebody else has one of the broker's ports."""
    for address in listener.addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, listener.port))
            except OSError as error:
                raise BrokerError(
                    f"port {listener.port} on {address} cannot be used ({error.strerror}): choose another with --port"
                ) from error


class Mosquitto:
    """One run of Mosquitto on a broker's folder."""

    def __init__(self, folder: BrokerFolder) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._last_lines: deque[str] = deque(maxlen=5)

    def start(self) -> None:
        """Start it and wait until it listens; a database it cannot read is moved aside, and said."""
        try:
            self._start()
        except BrokerError:
            if not self._database_is_damaged():
                raise
            aside = _move_aside(self._folder.database)
            print(f"Warning: the broker's database was damaged; it is now {aside}", file=sys.stderr, flush=True)
            self._start()

    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """Have it write its database and go; stopping twice is fine."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.note_pid(None)

    def _start(self) -> None:
        self._process = spawn([find_mosquitto(), "-c", str(self._folder.configuration)])
        self._folder.note_pid(self._process.pid)
        # Each run has its own: the end of the one before is noticed in a thread of its own, perhaps only now.
        listens: Future[bool] = Future()
        forward = (self._process, listens)
        threading.Thread(target=self._forward, args=forward, name="mosquitto's log", daemon=True).start()
        try:
            listening = listens.result(START_TIMEOUT)
        except TimeoutError:
            listening = False
        if not listening:
            self.stop()
            raise BrokerError("Mosquitto did not start: " + ("; ".join(self._last_lines) or "it said nothing"))

    def _forward(self, process: subprocess.Popen[bytes], listens: "Future[bool]") -> None:
        """Pass on what it says, and tell whether it came to listen."""
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            if any(text in line for text in KNOWN):
                continue
            self._last_lines.append(line)
            print(line, file=sys.stderr, flush=True)
            if line.endswith(RUNNING) and not listens.done():
                listens.set_result(True)
        if not listens.done():
            listens.set_result(False)

    def _database_is_damaged(self) -> bool:
        said = " ".join(self._last_lines).lower()
        return self._folder.database.exists() and ("persist" in said or "database" in said or "mosquitto.db" in said)


def end_leftover(folder: BrokerFolder) -> None:
    """End a Mosquitto of this folder that was left behind, such as one that was stopped when its parent was killed."""
    pid = folder.pid()
    if pid is None:
        return
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def _move_aside(file: Path) -> Path:
    aside = file.with_name(f"{file.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    file.replace(aside)
    return aside
