"""What happens to outputs: messages in, reports out, and what is due by the clock in between."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.interfaces.contract import Interface
from piio_agent.interfaces.errors import ValueRefused
from piio_agent.outputs.line import Line
from piio_agent.outputs.messages import (
    Became,
    Broken,
    Change,
    Close,
    Closed,
    Heard,
    Message,
    Open,
    Order,
    Outcome,
    Report,
    Stop,
)
from piio_agent.outputs.policies import raw_at_start, raw_when_lost
from piio_agent.reasons import reason

log = logging.getLogger(__name__)

REFRESH = 20.0
"""Seconds between two times that the outputs are remembered, so that what is remembered stays young."""


class Memory(Protocol):
    """Where outputs are remembered across a restart of the process."""

    def recall(self, channel: ChannelId) -> float | None:
        """Return what it was, if that is known and young."""
        ...

    def save(self, outputs: dict[ChannelId, float]) -> None:
        """Keep what the outputs are now."""
        ...


class Engine:
    """Holds the outputs. Not thread-safe: one thread calls `handle` and, no later than `due`, `tick`."""

    def __init__(
        self, interfaces: Mapping[str, Interface], clock: Clock, memory: Memory, report: Callable[[Report], None]
    ) -> None:
        self._interfaces = interfaces
        self._clock = clock
        self._memory = memory
        self._report = report
        self._lines: dict[ChannelId, Line] = {}
        self._remembered: dict[ChannelId, float] = {}
        self._refresh_at: float | None = None

    def due(self) -> float | None:
        """When `tick` has something to do next, on CLOCK_BOOTTIME; None: never, as things are."""
        times = [self._refresh_at, *(line.due() for line in self._lines.values())]
        return min((time for time in times if time is not None), default=None)

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock.boottime()
        for line in list(self._lines.values()):
            due = line.due()
            if due is not None and due <= now:
                self._act(line, now)
        self._remember(now)

    def handle(self, message: Message) -> None:
        """Do what was asked; what comes of it is reported."""
        now = self._clock.boottime()
        match message:
            case Heard():
                self._heard(now)
            case Order():
                self._obey(message, now)
            case Open():
                self._open(message, now)
            case Change():
                self._change(message)
            case Close():
                self._close(message.channel, now)
            case Stop():
                self._stop(now)
        self._remember(now)

    def _heard(self, now: float) -> None:
        for line in self._lines.values():
            line.lease_from, line.lost = now, False

    def _open(self, message: Open, now: float) -> None:
        line = Line(message.channel, self._interfaces[message.channel.interface], message.settings, message.policies)
        line.wanted = raw_at_start(line.policies, self._memory.recall(line.channel))
        line.lease_from = now
        before, self._lines[line.channel] = self._lines.get(line.channel), line
        if before and before.fail_safe:
            # Other settings are no order: only one ends a fail-safe.
            line.wanted, line.fail_safe = before.wanted, before.fail_safe
        self._take(line, now)
        if before and before.held and not line.held:
            # A driver leaves the line as it was when it cannot have the new settings: nobody looks after it then.
            self._let_go(before, now)

    def _take(self, line: Line, now: float) -> None:
        try:
            line.take(now)
        except Exception as error:
            self._broke(line, error, now)
        else:
            self._tell(line)

    def _change(self, message: Change) -> None:
        line = self._lines.get(message.channel)
        if line:
            line.follow(message.policies)

    def _act(self, line: Line, now: float) -> None:
        move = line.next_move(now)
        if move:
            line.settle(*move)
            if move[1]:
                log.warning("%s goes to %g: %s", line.channel, *move)
        if not line.held:
            if line.retry_at is not None and line.retry_at <= now:
                self._take(line, now)
        elif move:
            self._move(line, now)
        else:
            self._confirm(line, now)

    def _move(self, line: Line, now: float) -> None:
        try:
            _drive_safe(line, line.wanted, now)
        except Exception as error:
            # It is taken anew, with the raw that it has to be.
            self._broke(line, error, now)
        else:
            self._tell(line)

    def _confirm(self, line: Line, now: float) -> None:
        try:
            line.confirm(now)
        except Exception as error:
            self._broke(line, error, now)

    def _obey(self, order: Order, now: float) -> None:
        line = self._lines.get(order.channel)
        if line is None or not line.held:
            self._result(order, "failed", "the output is not in force: see its error")
        elif now > order.expires:
            self._result(order, "expired", "the outputs were held up")
        else:
            self._drive(line, order, now)

    def _drive(self, line: Line, order: Order, now: float) -> None:
        try:
            line.order(order.raw, order.pulse, now)
        except ValueRefused as error:
            self._result(order, "refused", reason(error))
        except Exception as error:
            self._broke(line, error, now)
            self._result(order, "failed", reason(error))
        else:
            self._tell(line)
            self._result(order, "done", "", line.read)

    def _close(self, channel: ChannelId, now: float) -> None:
        line = self._lines.pop(channel, None)
        self._remembered.pop(channel, None)
        if line:
            self._let_go(line, now)
        self._report(Closed(channel))

    def _let_go(self, line: Line, now: float) -> None:
        """Nobody looks after a line that is let go: it is left as if the bridge were lost."""
        raw = raw_when_lost(line.policies)
        try:
            if line.held and raw is not None and raw != line.wanted:
                _drive_safe(line, raw, now)
        except Exception as error:
            log.warning("%s cannot be driven safe: %s", line.channel, reason(error))
        try:
            line.close()
        except Exception as error:
            log.warning("%s cannot be closed: %s", line.channel, reason(error))

    def _stop(self, now: float) -> None:
        # What is remembered stays as it was before: a restart within a minute may return to it.
        lines, self._lines, self._refresh_at = list(self._lines.values()), {}, None
        for line in lines:
            held = line.held
            self._let_go(line, now)
            if held:
                self._tell(line)
            self._report(Closed(line.channel))

    def _broke(self, line: Line, error: Exception, now: float) -> None:
        line.broke(now)
        self._report(Broken(line.channel, reason(error)))

    def _tell(self, line: Line) -> None:
        self._report(Became(line.channel, line.read, line.fail_safe))

    def _result(self, order: Order, status: str, why: str, read: float | None = None) -> None:
        self._report(Outcome(order.id, order.channel, status, why, read))  # type: ignore[arg-type]

    def _remember(self, now: float) -> None:
        """Remember the outputs that will ask what they were, when that changed and every now and then."""
        asking = {
            id: line.lasting for id, line in self._lines.items() if line.held and line.policies.on_start == "last"
        }
        if not asking:
            self._refresh_at = None
        elif asking != self._remembered or self._refresh_at is None or self._refresh_at <= now:
            self._memory.save(asking)
            self._remembered, self._refresh_at = asking, now + REFRESH


def _drive_safe(line: Line, raw: float, now: float) -> None:
    """Drive a line to what its policies say, or off if the channel cannot take that: never leave it as it is."""
    try:
        line.drive(raw, now)
    except ValueRefused as error:
        log.error("%s: %s: it is switched off instead", line.channel, reason(error))
        line.drive(0.0, now)
