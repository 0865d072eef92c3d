"""From raw to value: what arrives on the data plane becomes what is published, with no I/O in between."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from piio_bridge.clock import Clock
from piio_bridge.data.board import BoardState, HeardBeacon
from piio_bridge.data.point import PointState
from piio_bridge.data.record import Record
from piio_bridge.equations import Equation
from piio_schemas.beacons import Beacon
from piio_schemas.configuration import Configuration
from piio_schemas.numbers import number_from_text, number_to_text
from piio_schemas.states import GOOD, Applied

Outgoing = tuple[str, bytes]
"""A retained message: topic and payload."""

MOST_RAWS = 200_000
"""Raws that are remembered for points to come; those that no point reads are not kept on top of them."""

MOST_BOARDS = 20_000
"""Boards whose beacons are remembered."""

REPEAT = 55.0
"""Seconds after which a value is published whatever its deadband says: agents repeat their raws once a minute."""


class Readings:
    """The values of all points of all boards. One thread owns it; others may look at single attributes."""

    def __init__(self, prefix: str, clock: Clock, record: Record) -> None:
        self._prefix = prefix
        self._clock = clock
        self.record = record
        self._readers: dict[str, list[PointState]] = {}
        self._sampled: dict[str, list[PointState]] = {}
        self._raws: dict[str, float | None] = {}
        self.boards: dict[str, BoardState] = {}
        self.malformed = 0

    def board(self, agent: str) -> BoardState:
        """Return what is known of a board; of a new one nothing."""
        if agent not in self.boards:
            self.boards[agent] = BoardState(self._prefix, agent)
        return self.boards[agent]

    def raw_of(self, topic: str) -> float | None:
        """Return the last raw heard on a topic, None where there is none."""
        return self._raws.get(topic)

    def readers(self, topic: str) -> Sequence[PointState]:
        """Return the points that read a topic of raws."""
        return self._readers.get(topic, ())

    def sampled(self, topic: str) -> Sequence[PointState]:
        """Return the points that want the values of what comes on a topic of blocks."""
        return self._sampled.get(topic, ())

    def take(self, batch: Iterable[tuple[str, bytes]]) -> list[Outgoing]:
        """Take raw messages in their order and return what they make of the values.

        An empty payload is a channel that has failed or is no more; what is no number is counted and changes nothing.
        """
        out: list[Outgoing] = []
        groups: dict[Equation | None, list[tuple[PointState, float]]] = {}
        touched: dict[str, set[str]] = {}
        for topic, payload in batch:
            try:
                raw = number_from_text(payload) if payload else None
            except ValueError:
                self.malformed += 1
                continue
            if topic not in self._raws and len(self._raws) >= MOST_RAWS and topic not in self._readers:
                self.malformed += 1
                continue
            self._raws[topic] = raw
            for point in self._readers.get(topic, ()):
                point.raw, point.channel_failed = raw, raw is None
                touched.setdefault(point.agent, set()).add(point.name)
                if raw is None:
                    self._judge(point, out)
                elif point.simple:
                    groups.setdefault(point.equation, []).append((point, raw))
        for equation, items in groups.items():
            self._evaluate(equation, items, out)
        for agent, names in touched.items():
            self._ripple(self.boards[agent], names, out)
        return out

    def hear_beacon(self, agent: str, beacon: Beacon) -> list[Outgoing]:
        """Take a sign of life."""
        if agent not in self.boards and len(self.boards) >= MOST_BOARDS:
            self.malformed += 1
            return []
        board = self.board(agent)
        board.heard = HeardBeacon(beacon, self._clock.boottime())
        board.seen_at = board.heard.at
        return self._judge_board(board) if board.silence else []

    def hear_status(self, agent: str, online: bool) -> list[Outgoing]:
        """Take an agent's status."""
        board = self.board(agent)
        board.online = online
        return self._judge_board(board)

    def hear_applied(self, agent: str, applied: Applied) -> list[Outgoing]:
        """Take what an agent has in force."""
        board = self.board(agent)
        board.apply(applied)
        return self._judge_board(board)

    def tick(self) -> list[Outgoing]:
        """Notice who has fallen silent."""
        out: list[Outgoing] = []
        self.record.alive(int(self._clock.unix() * 1000))
        for board in self.boards.values():
            out += self._judge_board(board)
        return out

    def stood_still(self, since: float) -> None:
        """Since that boottime nothing was done here: nobody vouched for anything until now."""
        now = self._clock.boottime()
        ended = int(self._clock.unix() * 1000)
        for board in self.boards.values():
            for point in board.points.values():
                if point.history and point.quality == GOOD:
                    self.record.vouch(point.agent, point.name, ended - int((now - since) * 1000), False)
                    self.record.vouch(point.agent, point.name, ended, True)

    def deafen(self) -> None:
        """Forget all signs of life: they belong to a connection that is over."""
        for board in self.boards.values():
            board.heard = None

    def announce(self) -> list[Outgoing]:
        """Return everything as it is: what a broker that forgot it must be told."""
        out: list[Outgoing] = []
        for board in self.boards.values():
            self._judge_board(board)  # what was good on the connection before is not good on this one
            for point in board.points.values():
                if point.value is not None:
                    out.append((point.value_topic, number_to_text(point.value).encode()))
                out.append((point.quality_topic, point.quality.encode()))
        return out

    def configure(self, agent: str, configuration: Configuration) -> list[Outgoing]:
        """Take a board's new points: what is gone is cleared, what is there is evaluated at the last raw."""
        board = self.board(agent)
        before = board.configure(configuration)
        self._index()
        out: list[Outgoing] = []
        for name in before.keys() - board.points.keys():
            out += [(before[name].value_topic, b""), (before[name].quality_topic, b"")]
        for name, point in board.points.items():
            self._begin(point, before.get(name), out)
        self._ripple(board, set(board.points), out)
        for point in board.points.values():
            self._judge(point, out)
        return out

    def forget(self, agent: str) -> None:
        """Drop a board; its topics are somebody else's to clear."""
        self.boards.pop(agent, None)
        self._index()

    def _begin(self, point: PointState, before: PointState | None, out: list[Outgoing]) -> None:
        """Give a point of a new configuration its value: the raw last heard, and what stays from before."""
        same = False
        if before and before.raw_topic == point.raw_topic:
            point.value, point.quality, point.doubted_at = before.value, before.quality, before.doubted_at
            same = before.equation_text == point.equation_text
        if before and same:
            point.published_raw, point.published_at = before.published_raw, before.published_at
            point.equation_error = before.equation_error
        if point.raw_topic is None or point.raw_topic not in self._raws:
            return
        point.raw = self._raws[point.raw_topic]
        point.channel_failed = False  # a raw cleared before may be of another configuration: wait for the agent's word
        if point.raw is not None and point.simple and not (same and point.value is not None):
            self._evaluate(point.equation, [(point, point.raw)], out)

    def _index(self) -> None:
        self._readers, self._sampled = {}, {}
        for board in self.boards.values():
            for point in board.points.values():
                if point.raw_topic is not None:
                    self._readers.setdefault(point.raw_topic, []).append(point)
                if point.block_topic is not None:
                    self._sampled.setdefault(point.block_topic, []).append(point)

    def _evaluate(self, equation: Equation | None, items: list[tuple[PointState, float]], out: list[Outgoing]) -> None:
        if equation is None:
            values = [raw for _, raw in items]
        else:
            values = equation.evaluate({"x": np.array([raw for _, raw in items], np.float64)}, len(items)).tolist()
        for (point, raw), value in zip(items, values, strict=True):
            self._take_result(point, raw, value, out)

    def _ripple(self, board: BoardState, names: set[str], out: list[Outgoing]) -> None:
        """Compute what depends on the named points, in an order in which each comes after all it depends on."""
        for point in board.dependents:
            if point.name in names or not names.isdisjoint(point.dependencies):
                names.add(point.name)
                self._compute(board, point, out)

    def _compute(self, board: BoardState, point: PointState, out: list[Outgoing]) -> None:
        others = {name: board.points[name] for name in point.dependencies}
        inputs = {name: None if other.lacking else other.value for name, other in others.items()}
        if point.raw_topic is not None and point.equation and "x" in point.equation.names:
            inputs["x"] = point.raw
        missing = [name for name, value in inputs.items() if value is None]
        point.inputs_lacking = bool(missing)
        if missing or point.equation is None:
            self._judge(point, out)
            return
        known = {name: np.array([value], np.float64) for name, value in inputs.items()}
        self._take_result(point, point.raw, float(point.equation.evaluate(known, 1)[0]), out)

    def _take_result(self, point: PointState, raw: float | None, value: float, out: list[Outgoing]) -> None:
        """Take a result: publish it, unless it is not finite or within the point's own deadband."""
        if not math.isfinite(value):
            at = "" if raw is None else f" at x = {number_to_text(raw)}"
            point.equation_error = f"the equation has no finite result{at}"
            self._judge(point, out)
            return
        point.equation_error = None
        point.value = value
        now = self._clock.boottime()
        if self._within_deadband(point, raw, now):
            return
        point.published_raw, point.published_at = raw, now
        out.append((point.value_topic, number_to_text(value).encode()))
        if point.history:
            self.record.keep(point.agent, point.name, int(self._clock.unix() * 1000), value)
        if point.quality != GOOD:
            self._judge(point, out)

    def _within_deadband(self, point: PointState, raw: float | None, now: float) -> bool:
        if not point.deadband or raw is None or point.published_raw is None or point.quality != GOOD:
            return False
        return abs(raw - point.published_raw) <= point.deadband and now - point.published_at < REPEAT

    def _judge_board(self, board: BoardState) -> list[Outgoing]:
        out: list[Outgoing] = []
        board.judge_silence(self._clock.boottime())
        for point in board.points.values():
            self._judge(point, out)
        return out

    def _judge(self, point: PointState, out: list[Outgoing]) -> None:
        board = self.boards[point.agent]
        quality = board.quality_of(point)
        if quality == point.quality:
            return
        before, point.quality = point.quality, quality
        if point.history and (not before or (before == GOOD) != (quality == GOOD)):
            self._tell_of_doubt(board, point)
        out.append((point.quality_topic, quality.encode()))
        for other in board.dependents:
            if point.name in other.dependencies:
                self._judge(other, out)

    def _tell_of_doubt(self, board: BoardState, point: PointState) -> None:
        """Have it known in the history that a value is vouched for no longer, or again.

        Nobody did since the last sign of life, unless a reading came after it; and a reading that came before its
        quality was good again is vouched for, too.
        """
        now = self._clock.boottime()
        if point.quality == GOOD:
            at = point.published_at if point.published_at > point.doubted_at else now
        else:
            last = board.seen_at if board.silence and board.seen_at is not None else now
            at = point.doubted_at = min(now, max(last, point.published_at))
        t_ms = int((self._clock.unix() - now + at) * 1000)
        self.record.vouch(point.agent, point.name, t_ms, point.quality == GOOD)
