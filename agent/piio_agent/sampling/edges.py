"""Edges on their way to the broker: one by one while they are few, gathered into blocks while they are many."""

from collections import deque
from collections.abc import Callable

from piio_agent.channel import ChannelId
from piio_agent.interfaces.contract import Edge
from piio_agent.loop import Loop, Timer
from piio_agent.sampling.block_queue import SayBlock
from piio_schemas.blocks import LARGEST_STEP, MOST_LOST, BlockEdge, capacity, edge_block
from piio_schemas.events import EdgeEvent

WINDOW = 0.1
"""Seconds of edges that go into one block, and that a raw waits meanwhile."""

MANY = 50
"""Edges within a window from which on they are gathered: as messages they are too many."""

FEW = 25
"""Edges in a window after which they go one by one again."""

SayEdge = Callable[[ChannelId, EdgeEvent], bool]
"""Publishes an edge; False: it went nowhere."""

Settle = Callable[[ChannelId, float], None]


class Edges:
    """The edges of all lines; `told` are those whose points want them. For the loop only.

    Of a line that nobody wants the edges of, what a burst comes to is its raw ten times a second, and at its end.
    """

    def __init__(self, loop: Loop, say_edge: SayEdge, say_block: SayBlock, settle: Settle) -> None:
        self._loop = loop
        self._say_edge = say_edge
        self._say_block = say_block
        self._settle = settle
        self._lines: dict[ChannelId, _Line] = {}

    def take(self, id: ChannelId, edge: Edge, told: bool = True) -> bool:
        """Take an edge, and tell of it. True: it is gathered with others, and `settle` gets the raw with them, soon."""
        line = self._lines.get(id)
        if line is None:
            line = self._lines[id] = _Line(
                self._loop,
                lambda event: self._say_edge(id, event),
                lambda edges, lost: self._say_block(id, edge_block(edges, lost)),
                lambda raw: self._settle(id, raw),
            )
        return line.take(edge, told)

    def overtake(self, id: ChannelId) -> None:
        """The line was read: a raw that waits is out of date."""
        line = self._lines.get(id)
        if line:
            line.raw = None

    def forget(self, id: ChannelId) -> None:
        """No more edges of this line are wanted, or it has failed."""
        line = self._lines.pop(id, None)
        if line:
            line.end()


class _Line:
    """One line; what cannot be said is counted as lost in what is said next."""

    def __init__(
        self,
        loop: Loop,
        say_edge: Callable[[EdgeEvent], bool],
        say_block: Callable[[list[BlockEdge], int], bool],
        settle: Callable[[float], None],
    ) -> None:
        self.raw: float | None = None
        self._loop = loop
        self._say_edge = say_edge
        self._say_block = say_block
        self._settle = settle
        self._recent: deque[int] = deque(maxlen=MANY)
        self._seq = 0
        self._lost = 0
        self._timer: Timer | None = None
        """Runs while edges are gathered."""
        self._first: Edge | None = None
        self._gathered: list[BlockEdge] = []
        self._in_window = 0

    def take(self, edge: Edge, told: bool) -> bool:
        """Say an edge or gather it; True if it was gathered."""
        alone = self._timer is None and not self._too_many(edge)
        if not told:
            self._seq, self._in_window = edge.seq, self._in_window + 1
        elif alone:
            self._say(edge)
        else:
            self._gather(edge)
        if alone:
            return False
        self._timer = self._timer or self._loop.after(WINDOW, self._turn)
        self.raw = edge.raw
        return True

    def end(self) -> None:
        """Send what was gathered, and gather no more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._send()

    def _count_lost(self, edge: Edge) -> None:
        # The gap tells also of what was dropped on its way here; the line counts from 1 when it is opened anew.
        gap = edge.seq - self._seq - 1 if self._seq else 0
        self._seq = edge.seq
        self._lost = min(self._lost + max(edge.lost, gap), MOST_LOST)

    def _too_many(self, edge: Edge) -> bool:
        """Whether so many came within a window, by the kernel's time: who reads them late must not change that."""
        full = len(self._recent) == MANY
        oldest = self._recent[0] if full else 0
        self._recent.append(edge.mono_ns)
        return full and edge.mono_ns - oldest < WINDOW * 1e9

    def _say(self, edge: Edge) -> None:
        self._count_lost(edge)
        event = EdgeEvent(edge.edge, edge.t_ns, edge.mono_ns, edge.seq, self._lost)
        self._lost = 0 if self._say_edge(event) else self._lost + 1

    def _gather(self, edge: Edge) -> None:
        self._in_window += 1
        if self._first and not self._follows(self._first, edge):
            self._send()
        self._count_lost(edge)
        self._first = first = self._first or edge
        # Unix time may step between two edges, the kernel's own cannot.
        self._gathered.append(BlockEdge(first.t_ns + edge.mono_ns - first.mono_ns, int(edge.raw)))

    def _follows(self, first: Edge, edge: Edge) -> bool:
        step = first.t_ns + edge.mono_ns - first.mono_ns - self._gathered[-1].t_ns
        return 0 <= step <= LARGEST_STEP and len(self._gathered) < capacity("i")

    def _send(self) -> None:
        edges, self._gathered, self._first = self._gathered, [], None
        if edges:
            self._lost = 0 if self._say_block(edges, self._lost) else min(self._lost + len(edges), MOST_LOST)

    def _turn(self) -> None:
        """A window is over: send its edges, and after one with few of them gather no more."""
        self._send()
        raw, self.raw = self.raw, None
        if raw is not None:
            self._settle(raw)
        few, self._in_window = self._in_window <= FEW, 0
        self._timer = None if few else self._loop.after(WINDOW, self._turn)
        if few:
            self._recent.clear()
