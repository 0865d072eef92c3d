"""One thread that waits on many file descriptors for a driver, and ends when told."""

from __future__ import annotations

import contextlib
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
    the first `add` and ends with `stop`; `add` starts it again. It waits with epoll, which unlike poll keeps nobody's
    descriptor open: a line that is closed while it waits is free at once.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: dict[int, OnReady] = {}
        self._running: _Running | None = None

    def add(self, fd: int, on_ready: OnReady) -> None:
        """Wait for a descriptor from now on; who waited for it before does no longer."""
        with self._lock:
            if self._running is None:
                self._running = _Running()
                threading.Thread(target=self._run, args=(self._running,), name=self._name, daemon=True).start()
            self._unregister(fd)
            self._waiting[fd] = on_ready
            self._running.epoll.register(fd, select.EPOLLIN)

    def remove(self, fd: int) -> None:
        """Wait for it no longer, before it is closed; nothing happens if nobody did."""
        with self._lock:
            self._unregister(fd)

    def stop(self) -> None:
        """End the thread after what it is at; not joined, since a watcher may be waiting for the caller's lock."""
        with self._lock:
            for fd in list(self._waiting):
                self._unregister(fd)
            if self._running is not None:
                os.eventfd_write(self._running.wake, 1)
                self._running = None

    def _unregister(self, fd: int) -> None:
        if self._waiting.pop(fd, None) and self._running:
            # Already gone if the descriptor was closed first.
            with contextlib.suppress(OSError):
                self._running.epoll.unregister(fd)

    def _run(self, running: _Running) -> None:
        try:
            while self._running is running:
                for fd, _ in running.epoll.poll():
                    if fd != running.wake:
                        self._ready(fd)
        finally:
            running.close()

    def _ready(self, fd: int) -> None:
        with self._lock:
            on_ready = self._waiting.get(fd)
        if on_ready and not self._call(on_ready):
            with self._lock:
                # The number may be a new line's by now.
                if self._waiting.get(fd) is on_ready:
                    self._unregister(fd)

    def _call(self, on_ready: OnReady) -> bool:
        try:
            return on_ready()
        except Exception:
            log.exception("%s: reading edges failed; this line reports none any more", self._name)
            return False


class _Running:
    """What one run of the thread waits with; the thread closes it at its end."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.epoll.register(self.wake, select.EPOLLIN)

    def close(self) -> None:
        self.epoll.close()
        os.close(self.wake)
