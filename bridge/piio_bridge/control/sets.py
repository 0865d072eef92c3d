"""Sets become writes: judged by age, translated by the inverse, followed until their outcome is known."""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from piio_bridge.clock import Clock
from piio_bridge.control.board import BoardRecord, range_of
from piio_bridge.control.expected import Expected, Place
from piio_bridge.control.freshness import Freshness
from piio_bridge.control.outbox import Outbox
from piio_bridge.control.remembered import RememberedSets
from piio_bridge.control.trail import Asked, Trail
from piio_bridge.data.board import HeardBeacon
from piio_bridge.data.plane import DataPlane
from piio_bridge.equations import EquationError
from piio_bridge.errors import BridgeError
from piio_schemas.commands import GRACE, Set, SetError, SetResult, Status, Write, WriteResult, read_set
from piio_schemas.configuration import OutputPoint
from piio_schemas.documents import decode, encode
from piio_schemas.events import PointEvent
from piio_schemas.numbers import number_to_text
from piio_schemas.topics import POINT_EVENT, RAW_SET, VALUE_RESULT, VALUE_SET

log = logging.getLogger(__name__)

MOST_PENDING = 1_000

SHORTEST = 0.001
"""Seconds that a write has at least: one that comes to the end of its time here expires on the board."""

TOLD_LATE = "told late: it was said to be unknown before"
"""What stands before the reason of a result that came after nobody waited for it any more."""


class SetRefused(BridgeError, ValueError):
    """A set that must not act: its status and a reason that people understand."""

    def __init__(self, reason: str, status: Status = "refused") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Pending(Struct):
    """A write whose result is awaited."""

    asked: Asked
    place: Place
    timer: asyncio.TimerHandle


class Sets:
    """Handles sets in stream order; results go out on each point's result topic."""

    def __init__(
        self, boards: Mapping[str, BoardRecord], plane: DataPlane, freshness: Freshness, outbox: Outbox,
        trail: Trail, clock: Clock, prefix: str, plain_sets: bool = True,
    ) -> None:  # fmt: skip
        self._boards = boards
        self._plane = plane
        self._freshness = freshness
        self._outbox = outbox
        self._trail = trail
        self._clock = clock
        self._prefix = prefix
        self._plain_sets = plain_sets
        self._pending: dict[str, Pending] = {}
        self._given_up: OrderedDict[str, Pending] = OrderedDict()
        self._expected = Expected(clock)
        self._remembered = RememberedSets(clock)

    def handle(self, agent: str, point: str, payload: bytes, retained: bool) -> None:
        """Take one set: write it, or say why not."""
        if not payload:
            return
        if retained:
            self._outbox.send(VALUE_SET.at(self._prefix, agent=agent, point=point), b"", 1, True)
        try:
            command = read_set(payload)
        except SetError as error:
            result = SetResult(id=error.id or _new_id(), status="refused", reason=str(error))
            self._finish(self._trail.asked_set(agent, point, result.id, payload, None), result)
            return
        asked = self._trail.asked_set(agent, point, command.id or _new_id(), payload, command)
        try:
            if retained:
                raise SetRefused("a set must not be retained: send it without -r")
            if command.id and self._repeats(asked, command, payload):
                return
            self._judge_age(command)
            self._write(asked, command)
        except SetRefused as refusal:
            result = SetResult(id=asked.id, status=refusal.status, reason=refusal.reason, by=command.by)
            self._finish(asked, result)

    def hear_result(self, place: Place, payload: bytes) -> None:
        """Take the result of a write from where it was written to; DocumentError if it is none."""
        result = decode(payload, WriteResult)
        pending = self._pending.get(result.id)
        if pending is None or pending.place != place:
            self._hear_late(place, result)
            return
        del self._pending[result.id]
        pending.timer.cancel()
        self._expected.ended(place, result.id, result.read if result.status == "done" else None)
        self._finish(pending.asked, self._translate(pending, result))
        if result.rule == "interlock":
            self._tell_event(pending.asked, "interlock", result.reason)

    def _hear_late(self, place: Place, result: WriteResult) -> None:
        """Tell the truth of a set whose outcome was given up as unknown: it acted in time, only its result is late."""
        pending = self._given_up.get(result.id)
        if pending is None or pending.place != place:
            return
        del self._given_up[result.id]
        reason = f"{TOLD_LATE}; {result.reason}" if result.reason else TOLD_LATE
        told = self._result(pending, result.status, reason, result.read)
        self._finish(pending.asked, told, corrected=True)
        self._tell_event(pending.asked, "alert", f"a set was {told.status}: {reason}")

    def _tell_event(self, asked: Asked, kind: Literal["interlock", "alert"], reason: str) -> None:
        event = PointEvent(kind=kind, reason=reason, time=self._clock.unix())
        self._outbox.send(POINT_EVENT.at(self._prefix, agent=asked.board, point=asked.point or ""), encode(event), 1)

    def close(self) -> None:
        """Give up what is under way: the bridge ends, and nobody else will ever tell what became of it."""
        for pending in self._pending.values():
            pending.timer.cancel()
            reason = "outcome unknown: the bridge was stopped"
            self._finish(pending.asked, self._result(pending, "failed", reason, None))
        self._pending.clear()

    def _repeats(self, asked: Asked, command: Set, payload: bytes) -> bool:
        """Remember an id; True if it was there already, and is answered as before."""
        before = self._remembered.meet(asked, payload)
        if before is None:
            return False
        if before.payload != payload:
            # The answer is for this set alone: what becomes of the one before is still to be remembered.
            reason = f"the id '{asked.id}' was used for another set within the last minute: give each its own"
            self._tell(asked, SetResult(id=asked.id, status="refused", reason=reason, by=command.by))
        elif before.result:
            self._publish(asked, before.result)
        return True

    def _judge_age(self, command: Set) -> None:
        now = self._clock.boottime()
        if command.beacon is not None:
            verdict = self._freshness.judge_echo(command.beacon, command.ttl, now)
        elif self._plain_sets:
            verdict = self._freshness.judge_plain(command.ttl, now)
        else:
            verdict = ("refused", "sets without the echo of a beacon are turned off here")
        if verdict is not None:
            status: Status = "expired" if verdict[0] == "expired" else "refused"
            raise SetRefused(verdict[1], status)

    def _write(self, asked: Asked, command: Set) -> None:
        agent, name = asked.board, asked.point or ""
        board, point = self._find(agent, name)
        heard = self._plane.beacon_of(agent)
        silence = self._plane.silence_of(agent)
        if silence or heard is None:
            raise SetRefused(silence or f"no sign of life of {agent} yet")
        if len(self._pending) >= MOST_PENDING:
            raise SetRefused("too many sets are under way: send it again later")
        raw = self._raw(board, name, point, command)
        configuration = board.configuration
        write = Write(
            id=_new_id(), point=name, revision=configuration.revision, value=raw, ttl=self._ttl(command, heard),
            pulse=command.pulse, epoch=configuration.epoch, beacon=heard.beacon.echo,
        )  # fmt: skip
        topic = RAW_SET.at(self._prefix, agent=agent, interface=point.interface, channel=point.channel)
        if not self._outbox.send(topic, encode(write), 1):
            raise SetRefused("the bridge has no connection to the broker")
        place, within = (agent, point.interface, point.channel), command.ttl + GRACE
        timer = asyncio.get_running_loop().call_later(within, self._give_up, write.id)
        self._pending[write.id] = Pending(asked, place, timer)
        self._expected.wrote(place, write.id, raw, within, pulse=command.pulse is not None)

    def _ttl(self, command: Set, heard: HeardBeacon) -> float:
        """Return how far the board's own tick may have moved on: what the set has aged until here is used up."""
        now = self._clock.boottime()
        left = command.ttl - self._freshness.age(command.beacon, now)
        return round(min(command.ttl, now - heard.at + max(left, SHORTEST)), 3)

    def _find(self, agent: str, name: str) -> tuple[BoardRecord, OutputPoint]:
        board = self._boards.get(agent)
        if board is None:
            raise SetRefused(f"there is no board '{agent}'")
        point = board.configuration.points.get(name)
        if point is None:
            raise SetRefused(f"{agent} has no point '{name}'")
        if not isinstance(point, OutputPoint):
            raise SetRefused(f"'{name}' is an input: it cannot be set")
        said = board.applied.points.get(name) if board.applied else None
        if said and not said.ok:
            raise SetRefused(said.error or f"'{name}' is not in force on {agent}")
        return board, point

    def _raw(self, board: BoardRecord, name: str, point: OutputPoint, command: Set) -> float:
        """Return the raw that a set asks for, or refuse; nothing is ever clamped."""
        channel = board.channel(name)
        low, high, digital = range_of(channel)
        wanted = command.wanted
        if isinstance(wanted, str):
            if not digital:
                raise SetRefused(f"'{name}' takes a number, not {str(command.value).upper()}")
            if wanted == "toggle":
                return self._toggled(board.agent, name, point)
            wanted = 1.0 if wanted == "on" else 0.0
        try:
            equation = board.output(name, point)
        except EquationError as error:  # the board offers another range than when this was configured
            raise SetRefused(f"'{name}' cannot be set: {error}") from error
        raw = equation.to_raw(wanted)
        if raw is None or (raw not in (0, 1) if digital else not low <= raw <= high):
            ends = sorted(value for value in map(equation.to_value, (low, high)) if value is not None)
            takes = (" or " if digital else " to ").join(number_to_text(end) for end in ends)
            raise SetRefused(f"'{name}' takes {takes}, not {number_to_text(wanted)}")
        return raw

    def _toggled(self, agent: str, name: str, point: OutputPoint) -> float:
        raw = self._expected.raw((agent, point.interface, point.channel))
        if raw is None:
            raw = self._plane.raw_of(agent, point.interface, point.channel)
        if raw is None:
            raise SetRefused(f"what '{name}' is now is not known, so it cannot be toggled")
        return 0.0 if raw else 1.0

    def _give_up(self, id: str) -> None:
        pending = self._pending.pop(id, None)
        if pending:
            self._given_up[id] = pending
            while len(self._given_up) > MOST_PENDING:
                self._given_up.popitem(last=False)
            self._expected.ended(pending.place, id, None)
            reason = "outcome unknown: no result came in time"
            self._finish(pending.asked, self._result(pending, "failed", reason, None))

    def _translate(self, pending: Pending, result: WriteResult) -> SetResult:
        return self._result(pending, result.status, result.reason, result.read)

    def _result(self, pending: Pending, status: Status, reason: str, raw: float | None) -> SetResult:
        value, asked = None, pending.asked
        board, name = self._boards.get(asked.board), asked.point or ""
        point = board.configuration.points.get(name) if board else None
        if board and raw is not None and isinstance(point, OutputPoint):
            with suppress(EquationError):  # another configuration has come: the raw has to do
                value = board.output(name, point).to_value(raw)
        return SetResult(id=asked.id, status=status, reason=reason, value=value, raw=raw, by=asked.by)

    def _finish(self, asked: Asked, result: SetResult, *, corrected: bool = False) -> None:
        self._remembered.note(asked, result, corrected=corrected)
        self._tell(asked, result)

    def _tell(self, asked: Asked, result: SetResult) -> None:
        """Tell people and the audit what became of a set."""
        if result.status != "done":
            log.info("set of %s/%s %s: %s", asked.board, asked.point, result.status, result.reason)
        self._publish(asked, result)
        self._trail.ended(asked, result.status, result.reason)

    def _publish(self, asked: Asked, result: SetResult) -> None:
        topic = VALUE_RESULT.at(self._prefix, agent=asked.board, point=asked.point or "")
        self._outbox.send(topic, encode(result), 0)


def _new_id() -> str:
    return secrets.token_hex(8)
