"""A service's log: every line with its time, two files of a megabyte at most."""

import os
import threading
import time
from pathlib import Path

LARGEST = 1_000_000
"""Bytes; then the file becomes `….log.1` and a fresh one begins."""


class LogFile:
    """A file that lines are added to; safe from several threads. On a full disk lines are lost, nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Add a line with the local time."""
        stamped = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n".encode()
        with self._lock:
            try:
                self._rotate()
                handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    os.write(handle, stamped)
                finally:
                    os.close(handle)
            except OSError:
                return  # the service matters more than its log

    def _rotate(self) -> None:
        if self._path.exists() and self._path.stat().st_size > LARGEST:
            self._path.replace(self._path.with_name(self._path.name + ".1"))
