"""What was asked and is not answered yet."""

import threading
from collections.abc import Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any


class Calls:
    """Brings each answer to the one who waits for it, and bad news to all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, Future[Any]] = {}

    @contextmanager
    def expected(self, key: Hashable) -> Iterator["Future[Any]"]:
        """While it lasts, what is answered under `key` arrives in the future it gives."""
        future: Future[Any] = Future()
        with self._lock:
            self._waiting[key] = future
        try:
            yield future
        finally:
            with self._lock:
                self._waiting.pop(key, None)

    def answer(self, key: Hashable, answer: Any) -> None:
        """Hand over an answer; one that nobody waits for (any more) is another's and is let go."""
        with self._lock:
            future = self._waiting.pop(key, None)
        if future:
            future.set_result(answer)

    def fail(self, key: Hashable, error: Exception) -> None:
        """Tell who waits for `key` that there will be no answer."""
        with self._lock:
            future = self._waiting.pop(key, None)
        if future:
            future.set_exception(error)

    def fail_all(self, error: Exception) -> None:
        """Tell everybody that there will be no answer."""
        with self._lock:
            futures, self._waiting = list(self._waiting.values()), {}
        for future in futures:
            future.set_exception(error)
