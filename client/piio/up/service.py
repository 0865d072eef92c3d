"""One service of an installation: a child process, its log, and how it is ended."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from piio.child import spawn
from piio.up.log_file import LogFile

TROUBLE = re.compile(r"\b(warning|error|critical)\b", re.IGNORECASE)

OnLine = Callable[["Service", str], None]
OnEnd = Callable[["Service", int], None]


class Service:
    """A `piio …` command that is kept running.

    `on_line` and `on_end` are called from threads of its own: return soon.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        logs: Path,
        on_line: OnLine,
        on_end: OnEnd,
        environment: Mapping[str, str] | None = None,
        on_start: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.ready = False
        """Whether it has been at work since it was started last."""
        self.last_lines: deque[str] = deque(maxlen=8)
        self._command = [*piio_command(), name, *arguments]
        self._environment = {**_clean_environment(), **(environment or {})}
        self._log = LogFile(logs / f"{name}.log")
        self._on_line = on_line
        self._on_end = on_end
        self._on_start = on_start
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it (again), from the main thread; what a dead one left behind is ended first."""
        self.kill()
        self.ready = False
        self._process = spawn(self._command, self._environment)
        self._log.write(f"started as process {self._process.pid}")
        threading.Thread(target=self._read, args=(self._process,), name=f"{self.name} log", daemon=True).start()
        threading.Thread(target=self._wait, args=(self._process,), name=f"{self.name} end", daemon=True).start()
        if self._on_start:
            self._on_start()

    def ask_to_stop(self) -> None:
        """Ask it to end; it may already have."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, timeout: float) -> bool:
        """Wait for its end; False when it has not come within `timeout` seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(timeout, 0.0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it and all it started, at once."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            self.last_lines.append(line)
            self._log.write(line)
            self._on_line(self, line)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        status = process.wait()
        self._log.write(f"ended: {describe(status)}")
        self._on_end(self, status)


def describe(status: int) -> str:
    """Say how a process ended."""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def piio_command() -> list[str]:
    """Return how the `piio` command of this very environment is called."""
    script = Path(sys.executable).with_name("piio")
    return [sys.executable, str(script)] if script.exists() else [sys.executable, "-m", "piio"]


def _clean_environment() -> dict[str, str]:
    """Return our environment without what would make a service somebody else."""
    return {name: value for name, value in os.environ.items() if name not in ("PIIO_URL", "PIIO_PASSWORD")}
