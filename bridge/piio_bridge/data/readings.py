"""From raw to value: what arrives on the data plane becomes what is published, with no I/O in between."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from piio_bridge.clock import Clock
from piio_bridge.data.board import BoardState, HeardBeacon
from piio_bridge.data.channel import Channel
from piio_bridge.data.packets import Outgoing
from piio_bridge.data.point import PointState
from piio_bridge.data.record import Kept, Record
from piio_bridge.equations import Equation
from piio_schemas.beacons import Beacon
from piio_schemas.configuration import Configuration
from piio_schemas.numbers import number_from_text, number_to_text, numbers_to_text
from piio_schemas.states import GOOD, Applied

MOST_RAWS = 200_000
"""Raws that are remembered for points to come; those that no point reads are not kept on top of them."""

MOST_BOARDS = 20_000
"""Boards whose beacons are remembered."""

REPEAT = 55.0
"""Seconds after which a value is published whatever its deadband says: agents repeat their raws once a minute."""


Groups = defaultdict[Equation | None, tuple[list[PointState], list[float]]]
"""Points and their raws, by equation: each is evaluated once for all of them."""

NOT_FINITE = b"null"
"""What stands for a result that is no number."""


class Readings:
    """The values of all points of all boards. One thread owns it; others may look at single attributes."""

    def __init__(self, prefix: str, clock: Clock, record: Record) -> None:
        self._prefix = prefix
        self._clock = clock
        self.record = record
        self.channels: dict[bytes, Channel] = {}
        self._sampled: dict[bytes, list[PointState]] = {}
        self.boards: dict[str, BoardState] = {}
        self.malformed = 0

    def board(self, agent: str) -> BoardState:
        """Return what is known of a board; of a new one nothing."""
        if agent not in self.boards:
            self.boards[agent] = BoardState(self._prefix, agent)
        return self.boards[agent]

    def raw_of(self, topic: bytes) -> float | None:
        """Return the last raw heard on a topic, None where there is none."""
        channel = self.channels.get(topic)
        return channel.raw if channel else None

    def readers(self, topic: bytes) -> Sequence[PointState]:
        """Return the points that read a topic of raws."""
        channel = self.channels.get(topic)
        return channel.points if channel else ()

    def sampled(self, topic: bytes) -> Sequence[PointState]:
        """Return the points that want the values of what comes on a topic of blocks."""
        return self._sampled.get(topic, ())

    def take(self, batch: Iterable[tuple[bytes, bytes]]) -> list[Outgoing]:
        """Take raw messages in their order and return what they make of the values; each channel's order is kept.

        An empty payload is a channel that has failed or is no more; what is no number is counted and changes nothing.
        """
        out: list[Outgoing] = []
        groups = _no_groups()
        touched: set[PointState] = set()
        for topic, payload in batch:
            try:
                raw = number_from_text(payload) if payload else None
            except ValueError:
                self.malformed += 1
                continue
            channel = self.channels.get(topic) or self._new_channel(topic)
            if channel is None:
                self.malformed += 1
                continue
            channel.raw, channel.heard = raw, True
            if raw is None:
                self._evaluate(groups, out)  # what was read before it failed is told before that
                if not channel.points:
                    del self.channels[topic]
            for point in channel.points:
                point.raw, point.channel_failed = raw, raw is None
                if raw is None:
                    self._judge(point, out)
                elif point.simple:
                    points, raws = groups[point.equation]
                    points.append(point)
                    raws.append(raw)
            if channel.ripples:
                touched.update(channel.points)
        self._evaluate(groups, out)
        self._ripple(touched, out)
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
        now = self._clock.boottime()
        for board in self.boards.values():
            before = board.silence
            board.judge_silence(now)
            if board.silence != before:  # of all that a quality depends on, time changes nothing else
                self._judge_all(board, out)
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
        self._index(board, before)
        out: list[Outgoing] = []
        for name in before.keys() - board.points.keys():
            out += [(before[name].value_topic, b""), (before[name].quality_topic, b"")]
        groups = _no_groups()
        for name, point in board.points.items():
            self._begin(point, before.get(name), groups)
        self._evaluate(groups, out)
        self._ripple(set(board.points.values()), out)
        self._judge_all(board, out)
        return out

    def forget(self, agent: str) -> None:
        """Drop a board; its topics are somebody else's to clear."""
        board = self.boards.pop(agent, None)
        if board is not None:
            points, board.points = board.points, {}
            self._index(board, points)

    def _begin(self, point: PointState, before: PointState | None, groups: Groups) -> None:
        """Give a point of a new configuration what stays from before, and have it evaluated at the raw last heard."""
        same = False
        if before and before.raw_topic == point.raw_topic:
            point.value, point.quality, point.doubted_at = before.value, before.quality, before.doubted_at
            same = before.equation_text == point.equation_text
        if before and same:
            point.published_raw, point.published_at = before.published_raw, before.published_at
            point.equation_error = before.equation_error
        channel = self.channels.get(point.raw_topic) if point.raw_topic is not None else None
        if channel is None or not channel.heard:
            return
        point.raw = channel.raw
        point.channel_failed = False  # a raw cleared before may be of another configuration: wait for the agent's word
        if point.raw is not None and point.simple and not (same and point.value is not None):
            points, raws = groups[point.equation]
            points.append(point)
            raws.append(point.raw)

    def _new_channel(self, topic: bytes) -> Channel | None:
        """Remember a raw that no point reads: one may come. Not on top of too many."""
        if len(self.channels) >= MOST_RAWS:
            return None
        return self.channels.setdefault(topic, Channel())

    def _index(self, board: BoardState, before: Mapping[str, PointState]) -> None:
        """Have raws and blocks find a board's points, and those before no more."""
        for point in before.values():
            if point.block_topic is not None:
                self._sampled.pop(point.block_topic, None)
            channel = self.channels.get(point.raw_topic) if point.raw_topic is not None else None
            if channel is not None:
                channel.points = ()
        for point in board.points.values():
            if point.block_topic is not None:
                self._sampled.setdefault(point.block_topic, []).append(point)
            if point.raw_topic is not None:
                channel = self.channels.setdefault(point.raw_topic, Channel())
                channel.points += (point,)
                channel.ripples = bool(board.dependents)

    def _evaluate(self, groups: Groups, out: list[Outgoing]) -> None:
        """Give points their values; equations that differ in their numbers alone are evaluated by one call."""
        shapes: defaultdict[object, list[Equation | None]] = defaultdict(list)
        for equation in groups:
            shapes[equation and equation.shape].append(equation)
        for equations in shapes.values():
            points = [point for equation in equations for point in groups[equation][0]]
            raws = [raw for equation in equations for raw in groups[equation][1]]
            counts = [len(groups[equation][1]) for equation in equations]
            self._take_results(points, raws, _values(equations, counts, raws), out)
        groups.clear()

    def _ripple(self, touched: set[PointState], out: list[Outgoing]) -> None:
        """Compute what depends on points that changed, in an order in which each comes after all it depends on."""
        names: dict[str, set[str]] = {}
        for point in touched:
            names.setdefault(point.agent, set()).add(point.name)
        for agent, changed in names.items():
            board = self.boards[agent]
            for point in board.dependents:
                if point.name in changed or not changed.isdisjoint(point.dependencies):
                    changed.add(point.name)
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
        self._take_results([point], [point.raw], point.equation.evaluate(known, 1).tolist(), out)

    def _take_results(
        self, points: list[PointState], raws: Sequence[float | None], values: list[float], out: list[Outgoing]
    ) -> None:
        """Take results: publish each, unless it is not finite or within the point's own deadband."""
        now, t_ms = self._clock.boottime(), int(self._clock.unix() * 1000)
        kept: list[Kept] = []
        for point, raw, value, text in zip(points, raws, values, numbers_to_text(values), strict=True):
            if text == NOT_FINITE:
                self._take_no_result(point, raw, out)
                continue
            point.equation_error = None
            point.value = value
            if point.deadband and self._within_deadband(point, raw, now):
                continue
            point.published_raw, point.published_at = raw, now
            out.append((point.value_topic, text))
            if point.history:
                kept.append((point.agent, point.name, t_ms, value))
            if point.quality != GOOD:
                self._judge(point, out)
        if kept:
            self.record.keep(kept)

    def _take_no_result(self, point: PointState, raw: float | None, out: list[Outgoing]) -> None:
        at = "" if raw is None else f" at x = {number_to_text(raw)}"
        point.equation_error = f"the equation has no finite result{at}"
        self._judge(point, out)

    def _within_deadband(self, point: PointState, raw: float | None, now: float) -> bool:
        if raw is None or point.published_raw is None or point.quality != GOOD:
            return False
        return abs(raw - point.published_raw) <= point.deadband and now - point.published_at < REPEAT

    def _judge_board(self, board: BoardState) -> list[Outgoing]:
        out: list[Outgoing] = []
        board.judge_silence(self._clock.boottime())
        self._judge_all(board, out)
        return out

    def _judge_all(self, board: BoardState, out: list[Outgoing]) -> None:
        for point in board.points.values():
            self._judge(point, out)

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


def _no_groups() -> Groups:
    return defaultdict(lambda: ([], []))


def _values(equations: Sequence[Equation | None], counts: Sequence[int], raws: list[float]) -> list[float]:
    """What equations of one shape make of the raws, each of so many of them; None leaves them as they are."""
    first = equations[0]
    if first is None:
        return raws
    x = np.array(raws, np.float64)
    if len(equations) == 1:
        values = first.evaluate({"x": x}, len(raws))
    else:
        values = Equation.evaluate_together([each for each in equations if each], counts, x)
    return list(values.tolist())
