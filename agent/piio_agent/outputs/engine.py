"""What happens to outputs: messages in, reports out, and what is due by the clock in between."""

import logging
from collections.abc import Callable, Mapping
from typing import Literal

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.interfaces.contract import Interface
from piio_agent.interfaces.errors import ValueRefused
from piio_agent.outputs.forbidden import Forbidden
from piio_agent.outputs.interlocks import Interlocks
from piio_agent.outputs.line import Line
from piio_agent.outputs.memory import Diary, Memory
from piio_agent.outputs.messages import (
    Became,
    Broken,
    Change,
    Close,
    Closed,
    Forsaken,
    Heard,
    Message,
    Open,
    Order,
    Outcome,
    Report,
    Stop,
    StopAll,
)
from piio_agent.outputs.policies import raw_at_start, raw_when_lost
from piio_agent.outputs.safety import drive_safe, keep_off, let_go
from piio_agent.outputs.switches import Switches
from piio_agent.reasons import reason

log = logging.getLogger(__name__)


class Engine:
    """Holds outputs. Not thread-safe: one thread calls `handle` and, no later than `due`, `tick`.

    `memory` and `interlocks` are shared by all engines of a board.
    """

    def __init__(
        self,
        interfaces: Mapping[str, Interface],
        clock: Clock,
        memory: Memory,
        report: Callable[[Report], None],
        interlocks: Interlocks | None = None,
    ) -> None:
        self._interfaces = interfaces
        self._clock = clock
        self._memory = memory
        self._report = report
        self._interlocks = interlocks or Interlocks()
        self._diary = Diary(memory)
        self._lines: dict[ChannelId, Line] = {}
        self._switches: dict[ChannelId, Switches] = {}
        self._stopped: StopAll | None = None

    def due(self) -> float | None:
        """When `tick` has something to do next, on CLOCK_BOOTTIME; None: never, as things are."""
        times = [self._diary.due, *(line.due() for line in self._lines.values())]
        return min((time for time in times if time is not None), default=None)

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock.boottime()
        for line in list(self._lines.values()):
            due = line.due()
            if due is not None and due <= now:
                self._act(line, now)
        self._diary.write(self._lines.values(), now)

    def hear(self, at: float) -> None:
        """The bridge was heard then; to be told before `tick`, as it puts off what is due."""
        for line in self._lines.values():
            line.hear(at)

    def handle(self, message: Message) -> None:
        """Do what was asked; what comes of it is reported."""
        now = self._clock.boottime()
        match message:
            case Heard():
                self.hear(now)
            case Order():
                self._obey(message, now)
            case Open():
                self._open(message, now)
            case Change():
                self._change(message, now)
            case Close():
                self._close(message.channel, now)
            case StopAll():
                self._stop_all(message, now)
            case Forsaken():
                self._forsake(message.reason, now)
            case Stop():
                self._stop(now)
                return
        self._diary.write(self._lines.values(), now)

    def _open(self, message: Open, now: float) -> None:
        before = self._lines.get(message.channel)
        if before is None or before.settings != message.settings:
            self._replace(before, message, now)
            return
        # The rest of the agent was restarted: the line goes on as it was.
        self._follow(before, message, now)
        if before.held:
            self._tell(before)
        else:
            self._take(before, now)

    def _replace(self, before: Line | None, message: Open, now: float) -> None:
        line = self._line(message)
        line.wanted = raw_at_start(line.policies, self._memory.recall(line.channel))
        line.lease_from = now
        self._lines[line.channel] = line
        if before:
            line.last_fail_safe = before.last_fail_safe
        if before and before.fail_safe:
            # Other settings are no order: only one ends a fail-safe.
            line.wanted, line.fail_safe = before.wanted, before.fail_safe
        self._take(line, now)
        if before and before.taken and not line.taken:
            # A driver leaves the line as it was when it cannot have the new settings: nobody looks after it then.
            let_go(before, now)
            line.taken = before.taken

    def _line(self, message: Open) -> Line:
        channel, new = message.channel, message.channel not in self._switches
        switches = self._switches.setdefault(channel, Switches())
        line = Line(message, self._interfaces[channel.interface], switches, self._interlocks, self._clock)
        off_since = self._memory.recall_off(channel) if new else None
        if off_since is not None:
            line.note_off(off_since)
        return line

    def _take(self, line: Line, now: float) -> None:
        try:
            line.take(now)
        except Forbidden as error:
            keep_off(line, error)
            self._take(line, now)
        except Exception as error:
            self._broke(line, error, now)
        else:
            self._tell(line)

    def _change(self, message: Change, now: float) -> None:
        line = self._lines.get(message.channel)
        if line:
            self._follow(line, message, now)

    def _follow(self, line: Line, message: Open | Change, now: float) -> None:
        try:
            line.follow(message.policies, message.point, now)
        except Forbidden as error:
            keep_off(line, error)
            if line.held:
                self._move(line, now)

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
            drive_safe(line, line.wanted, now)
        except Exception as error:
            # It is taken anew, with the raw that it has to be.
            self._broke(line, error, now)
        else:
            self._tell(line)

    def _confirm(self, line: Line, now: float) -> None:
        try:
            otherwise = line.confirm(now)
        except Exception as error:
            self._broke(line, error, now)
        else:
            if otherwise:
                self._tell(line)

    def _obey(self, order: Order, now: float) -> None:
        line = self._lines.get(order.channel)
        stopped = self._stopped
        if stopped and stopped.at and order.echoes is not None and order.echoes < stopped.at:
            self._result(order, "refused", stopped.reason)
        elif line is None or not line.held:
            self._result(order, "failed", "the output is not in force: see its error")
        elif now > order.expires:
            self._result(order, "expired", "the outputs were held up")
        else:
            self._drive(line, order, now)

    def _drive(self, line: Line, order: Order, now: float) -> None:
        try:
            line.order(order.raw, order.pulse, now)
        except Forbidden as error:
            self._report(Outcome(order.id, order.channel, "refused", str(error), rule=error.rule))
        except ValueRefused as error:
            self._result(order, "refused", reason(error))
        except Exception as error:
            self._broke(line, error, now)
            self._result(order, "failed", reason(error))
        else:
            self._report(Outcome(order.id, order.channel, "done", read=line.read, became=_became(line)))

    def _close(self, channel: ChannelId, now: float) -> None:
        line = self._lines.pop(channel, None)
        if line:
            let_go(line, now)
            line.leave()
        self._report(Closed(channel))

    def _stop_all(self, message: StopAll, now: float) -> None:
        why = message.reason
        for order in message.waiting:
            self._result(order, "refused", why)
        if message.at is not None:
            log.warning("all outputs go where they are safe: %s", why)
            self._stopped = message
        for line in self._lines.values():
            raw = raw_when_lost(line.policies) or 0.0
            if message.at is not None or not line.rests(raw, why):
                self._make_safe(line, raw, why, now)

    def _forsake(self, why: str, now: float) -> None:
        for line in self._lines.values():
            raw = raw_when_lost(line.policies)
            if raw is not None and (raw != line.wanted or line.pulse_ends is not None):
                log.warning("%s goes to %g: %s", line.channel, raw, why)
                self._make_safe(line, raw, why, now)

    def _make_safe(self, line: Line, raw: float, why: str, now: float) -> None:
        line.settle(raw, why)
        if line.held:
            self._move(line, now)

    def _stop(self, now: float) -> None:
        self._diary.end()
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            held = line.held
            let_go(line, now)
            if held:
                self._tell(line)
            self._report(Closed(line.channel))

    def _broke(self, line: Line, error: Exception, now: float) -> None:
        line.broke(now)
        self._report(Broken(line.channel, reason(error)))

    def _tell(self, line: Line) -> None:
        self._report(_became(line))

    def _result(self, order: Order, status: Literal["refused", "expired", "failed"], why: str) -> None:
        self._report(Outcome(order.id, order.channel, status, why))


def _became(line: Line) -> Became:
    return Became(line.channel, line.read, line.fail_safe, line.last_fail_safe)
