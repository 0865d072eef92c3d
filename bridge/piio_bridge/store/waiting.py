"""What waits for the disk: bounded, and of too much the oldest goes and is counted."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from piio_bridge.data.record import Kept, Late

MOST_VALUES = 200_000
"""Values that may wait."""

MOST_LATE = 200_000
"""Late values that may wait likewise."""

MOST_CHANGES = 200_000
"""Changes of who vouches for what, likewise."""

BEHIND = 2_000
"""Values that wait although the writer's turn has come, from which on whoever brings more lets it have the interpreter.

A thread that computes without end, and gives the interpreter away only for moments, leaves next to nothing of it to
others (measured: half a second for what takes 6 ms).
"""

YIELDING = 0.0001
"""Seconds asleep, after which the writer has up to the interpreter's switch interval, 5 ms."""

SPARE = 5_000
"""Values that go at once when there are too many: one by one would cost more than it is worth."""

Change = tuple[str, str, int, bool]
"""Agent, point, Unix milliseconds, whether its value is vouched for from then on."""

LateOnes = tuple[str, str, Sequence[Late]]
"""Agent, point, and its late values."""


class Waiting:
    """Taken in by any thread, which is never kept waiting; taken out, and put back when it failed, by the writer."""

    def __init__(self) -> None:
        self._handing = threading.Lock()
        """Held for no longer than it takes to move what waits from hand to hand."""
        self._values: list[Kept] = []
        self._changes: deque[Change] = deque()
        self._late: deque[LateOnes] = deque()
        self._late_count = 0
        self.dropped = 0
        self.due = math.inf
        """Monotonic time from which on the writer is at work, or should be."""

    @property
    def values(self) -> int:
        """How many values wait."""
        return len(self._values)

    def add_values(self, values: Sequence[Kept]) -> None:
        with self._handing:
            self._values += values
            self._shed_values()
        if len(self._values) > BEHIND and time.monotonic() > self.due:
            time.sleep(YIELDING)

    def take_values(self) -> list[Kept]:
        """Return all, in their order; from now on they are the caller's."""
        with self._handing:
            values, self._values = self._values, []
            return values

    def put_back_values(self, values: list[Kept]) -> None:
        with self._handing:
            self._values = values + self._values
            self._shed_values()

    def add_change(self, change: Change) -> None:
        with self._handing:
            if len(self._changes) >= MOST_CHANGES:
                self._changes.popleft()
                self.dropped += 1
            self._changes.append(change)

    def take_changes(self, most: int) -> list[Change]:
        with self._handing:
            return [self._changes.popleft() for _ in range(min(most, len(self._changes)))]

    def put_back_changes(self, changes: Sequence[Change]) -> None:
        with self._handing:
            self._changes.extendleft(reversed(changes))

    def add_late(self, late: LateOnes) -> None:
        with self._handing:
            self._late.append(late)
            self._late_count += len(late[2])
            while self._late_count > MOST_LATE and self._late:
                self.dropped += self._pop_late()

    def first_late(self) -> LateOnes | None:
        """Return the oldest; it waits on."""
        with self._handing:
            return self._late[0] if self._late else None

    def late_is_done(self, late: LateOnes) -> None:
        """The oldest was dealt with, if it is not gone by now."""
        with self._handing:
            if self._late and self._late[0] is late:
                self._pop_late()

    def drop(self, is_wanted: Callable[[str], bool]) -> None:
        """Let go what waits of boards that are not wanted any more."""
        with self._handing:
            self._values = [row for row in self._values if is_wanted(row[0])]
            self._changes = deque(change for change in self._changes if is_wanted(change[0]))
            self._late = deque(late for late in self._late if is_wanted(late[0]))
            self._late_count = sum(len(late[2]) for late in self._late)

    def _pop_late(self) -> int:
        count = len(self._late.popleft()[2])
        self._late_count -= count
        return count

    def _shed_values(self) -> None:
        excess = len(self._values) - MOST_VALUES
        if excess > 0:
            excess = min(len(self._values), excess + SPARE)
            del self._values[:excess]
            self.dropped += excess
