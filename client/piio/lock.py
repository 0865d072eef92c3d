"""A lock between processes: it is free again the moment its holder ends, however that happens."""

import fcntl
import os
from pathlib import Path

from piio.errors import PiioError
from piio.private_file import StateError


class Locked(PiioError, BlockingIOError):
    """Somebody else holds the lock."""


class FileLock:
    """An advisory lock on a file; `with` is its lifetime."""

    def __init__(self, file: Path, busy: str | None = None) -> None:
        """Wait for the lock, or raise Locked with the text `busy` at once when there is one."""
        self._file = file
        self._busy = busy
        self._handle: int | None = None

    def __enter__(self) -> "FileLock":
        try:
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(f"{self._file} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if self._busy else 0))
        except BlockingIOError as error:
            os.close(handle)
            raise Locked(self._busy or "") from error
        self._handle = handle
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
