"""Counts, and those of them that survive a restart of the agent's process."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from piio_agent.clock import Clock
from piio_agent.storage import move_aside, replace_file
from piio_schemas.documents import encode

log = logging.getLogger(__name__)

SPACING = 10.0
"""Seconds between two times that counts are written: a card wears out."""

LOOK = 1.0
"""Seconds between two looks whether a count has changed."""


@dataclass
class Count:
    """A count that edges make grow, on one thread."""

    value: int = 0
    start: int = 0
    """What it began from."""
    keep: bool = False
    """Whether it survives a restart."""


class _Saved(Struct, frozen=True):
    start: int
    value: int


class KeptCounts:
    """The counts of all counting channels by name; none is forgotten while the process lives.

    Those to keep are written as a whole to one file, at most every ten seconds and only when one has changed, so that a
    killed agent loses what came since; `finish` writes what they are at the end.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, Count] = {}
        self._written = _read(path) if path else {}
        self._complaint = ""
        self._over = threading.Event()
        self._saver: threading.Thread | None = None

    def resume(self, name: str, start: int, keep: bool) -> Count:
        """Return the count of this name as it was left, or a new one if it has not begun from `start`."""
        with self._lock:
            count = self._counts.get(name)
            if count is None and keep and name in self._written:
                saved = self._written[name]
                count = Count(saved.value, saved.start)
            if count is None or count.start != start:
                count = Count(start, start)
            count.keep = keep
            self._counts[name] = count
            if self._saver is None and self._path and (keep or name in self._written):
                self._saver = threading.Thread(target=self._keep_saving, name="counts", daemon=True)
                self._saver.start()
        return count

    def finish(self, timeout: float) -> None:
        """Write what has changed, for at most `timeout` seconds; nothing is written any more after that."""
        self._over.set()
        if self._saver:
            self._saver.join(timeout)

    def _keep_saving(self) -> None:
        next_at = 0.0
        while not self._over.wait(LOOK):
            if self._clock.monotonic() >= next_at and self._save():
                next_at = self._clock.monotonic() + SPACING
        self._save()

    def _save(self) -> bool:
        """Write what has changed; False: nothing has."""
        with self._lock:
            counts = dict(self._counts)
        # What no point counts any more, or not yet since the start, stays as it is.
        now = {name: saved for name, saved in self._written.items() if name not in counts}
        now |= {name: _Saved(count.start, count.value) for name, count in counts.items() if count.keep}
        if now == self._written or self._path is None:
            return False
        try:
            replace_file(self._path, encode(now), durable=True)
        except OSError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.warning("%s cannot be written, counts will be lost: %s", self._path, error.strerror)
        else:
            self._written, self._complaint = now, ""
        return True


def _read(path: Path) -> dict[str, _Saved]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Saved])
    except FileNotFoundError:
        return {}
    except OSError as error:
        log.warning("%s cannot be read: %s", path, error.strerror)
    except (msgspec.MsgspecError, ValueError) as error:
        move_aside(path, str(error))
    return {}
