"""One thread that waits on many file descriptors for a driver, and ends when told."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable

OnReady = Callable[[], bool]

log = logging.getLogger(__name__)


class EdgeReader:
    """Calls `on_ready` on its thread whenever a descriptor has something to read.

    `on_ready` reads without blocking, and says whether to go on waiting for that descriptor. The thread starts with
    the first `add` and ends with `stop`; `add` starts it again.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: dict[int, OnReady] = {}
        self._wake: int | None = None

    def add(self, fd: int, on_ready: OnReady) -> None:
        """Wait for a descriptor from now on."""
        with self._lock:
            self._waiting[fd] = on_ready
            if self._wake is None:
                self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                threading.Thread(target=self._run, args=(self._wake,), name=self._name, daemon=True).start()
            os.eventfd_write(self._wake, 1)

    def remove(self, fd: int) -> None:
        """Wait for it no longer; nothing happens if nobody did."""
        with self._lock:
            if self._waiting.pop(fd, None) and self._wake is not None:
                os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """End the thread after what it is at; not joined, since a watcher may be waiting for the caller's lock."""
        with self._lock:
            self._waiting.clear()
            if self._wake is not None:
                os.eventfd_write(self._wake, 1)
                self._wake = None

    def _run(self, wake: int) -> None:
        try:
            while (waiting := self._snapshot(wake)) is not None:
                self._once(wake, waiting)
        finally:
            os.close(wake)

    def _snapshot(self, wake: int) -> dict[int, OnReady] | None:
        with self._lock:
            return dict(self._waiting) if self._wake == wake else None

    def _once(self, wake: int, waiting: dict[int, OnReady]) -> None:
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        for fd in waiting:
            poll.register(fd, select.POLLIN)
        for fd, event in poll.poll():
            if fd == wake:
                os.eventfd_read(wake)
            elif event & select.POLLNVAL or not self._call(waiting[fd]):
                self._forget(fd, waiting[fd])

    def _call(self, on_ready: OnReady) -> bool:
        try:
            return on_ready()
        except Exception:
            log.exception("%s: reading edges failed; this line reports none any more", self._name)
            return False

    def _forget(self, fd: int, on_ready: OnReady) -> None:
        with self._lock:
            # The number may be a new line's by now.
            if self._waiting.get(fd) is on_ready:
                del self._waiting[fd]
