"""What outputs were a moment ago, for a start that comes soon after."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from piio_agent.channel import ChannelId
from piio_agent.outputs.line import Line

REFRESH = 20.0
"""Seconds between two times that the outputs are remembered, so that what is remembered stays young."""

OffSince = Mapping[ChannelId, float | None]
"""Since when outputs are off, in seconds of boottime; None: they are on."""


class Memory(Protocol):
    """Where outputs are remembered across a restart of the process; may be asked from any thread."""

    def recall(self, channel: ChannelId) -> float | None:
        """Return what it was, if that is known and young."""
        ...

    def recall_off(self, channel: ChannelId) -> float | None:
        """Return since when it is off, in seconds of boottime: now if it was on; None: it is not known to have been."""
        ...

    def save(self, outputs: Mapping[ChannelId, float], off_since: OffSince) -> None:
        """Keep what the outputs are now, and since when some are off; it waits for no disk."""
        ...

    def finish(self, timeout: float) -> None:
        """Wait until all that was saved is kept, or for `timeout` seconds."""
        ...


class Diary:
    """Writes into a memory what will be asked at the next start, when that changes and every now and then."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._written: tuple[dict[ChannelId, float], OffSince] = ({}, {})
        self.due: float | None = None
        """When it has to be written again, in seconds of boottime; None: nothing is to be written."""

    def write(self, lines: Iterable[Line], now: float) -> None:
        """Write if something changed or it is time."""
        held = [line for line in lines if line.held]
        outputs = {line.channel: line.lasting for line in held if line.policies.on_start == "last"}
        off_since = {line.channel: line.switches.off_since for line in held if _must_pause(line)}
        if not outputs and not off_since:
            self.due = None
        elif (outputs, off_since) != self._written or self.due is None or self.due <= now:
            self._memory.save(outputs, off_since)
            self._written, self.due = (outputs, off_since), now + REFRESH

    def end(self) -> None:
        """Leave what was written as it is: a start within a minute may return to it."""
        self.due = None


def _must_pause(line: Line) -> bool:
    """Whether something may not go on until this output has been off for some time, and it ever was on."""
    asked = line.policies.min_off > 0 or line.policies.interlock is not None
    return asked and (line.switches.on or line.switches.off_since is not None)
