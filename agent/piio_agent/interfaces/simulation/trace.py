"""The recorded truth about a simulated board: what every line did, when, and who made it."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from piio_agent.clock import Clock

By = Literal["", "output", "outside", "pull", "released"]
Event = Literal["", "open", "close", "contention", "fault", "heal"]

KEPT = 20_000
ROTATE_AT = 5_000_000  # bytes

log = logging.getLogger(__name__)


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the trace; without an `event` it is a change of level."""

    t_ns: int
    """Unix time in nanoseconds."""
    mono_ns: int
    """The same moment on the board's monotonic clock, in nanoseconds."""
    interface: str
    """`gpio` or `adc`."""
    channel: str
    event: Event = ""
    level: int | None = None
    """The electrical level (0 or 1; counts for `adc`), whatever `active_low` says."""
    by: By = ""
    """Who makes the level: an output of the board, the outside world, a pull, or nobody any more."""
    direction: str = ""
    """`input` or `output`, for `open` and `close`."""
    reason: str = ""
    """Of a fault."""


class Trace:
    """Keeps the newest entries in memory and, given a folder, all of them in `trace.jsonl`, one JSON object a line.

    The file is flushed after every line and becomes `trace.1.jsonl` at 5 MB. Not thread-safe: the board holds its lock.
    """

    def __init__(self, clock: Clock, folder: Path | None = None) -> None:
        self._clock = clock
        self._path = folder / "trace.jsonl" if folder else None
        self._file: BinaryIO | None = None
        self._kept: deque[Entry] = deque(maxlen=KEPT)

    def entries(self) -> list[Entry]:
        """The newest entries, oldest first."""
        return list(self._kept)

    def changes(self, channel: str, interface: str = "gpio") -> list[Entry]:
        """The changes of level of one channel, oldest first."""
        return [e for e in self.entries() if (e.interface, e.channel, e.event) == (interface, channel, "")]

    def unix_ns(self, mono_ns: int) -> int:
        """The Unix time of a moment of the board's clock, in nanoseconds."""
        return self._clock.unix_ns() - (self._clock.monotonic_ns() - mono_ns)

    def note(
        self,
        mono_ns: int,
        interface: str,
        channel: str,
        *,
        event: Event = "",
        level: int | None = None,
        by: By = "",
        direction: str = "",
        reason: str = "",
    ) -> None:
        """Record what happened at `mono_ns` of the board's clock."""
        entry = Entry(self.unix_ns(mono_ns), mono_ns, interface, channel, event, level, by, direction, reason)
        self._kept.append(entry)
        if self._path:
            self._append(self._path, msgspec.json.encode(entry) + b"\n")

    def close(self) -> None:
        """Close the file; the next entry opens it again."""
        if self._file:
            # What could not be flushed was reported when it was written.
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _append(self, path: Path, line: bytes) -> None:
        try:
            if self._file is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("ab")
            self._file.write(line)
            self._file.flush()
            if self._file.tell() >= ROTATE_AT:
                self.close()
                path.replace(path.with_name("trace.1.jsonl"))
        except OSError as reason:
            # A full disk must not stop the board; memory still has the entry.
            log.warning("%s: the trace cannot be written: %s", path, reason.strerror)
            self.close()
            self._path = None
