"""What the broker says, as pages need it: documents of every board, and readings of those somebody looks at."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from piio.connection import Message
from piio_schemas import topics
from piio_schemas.beacons import BRIDGE_PERIOD, BridgeBeacon, Echo, believed_for
from piio_schemas.blocks import BlockError, read_block
from piio_schemas.documents import DocumentError, as_model, read_json
from piio_schemas.events import PointEvent
from piio_schemas.identifiers import RESERVED
from piio_schemas.numbers import number_from_text
from piio_schemas.states import OFFLINE, ONLINE
from piio_webapp.heard_board import HeardBoard

log = logging.getLogger(__name__)

MOST_BOARDS = 2000
MOST_TOPICS = 10_000
"""Topics whose meaning is remembered."""

MOST_READINGS = 4000
"""Values, qualities or raws of one board; what comes on top is not kept."""

DOCUMENTS = {
    topics.CAPABILITIES.pattern: "capabilities",
    topics.CONFIG.pattern: "config",
    topics.APPLIED.pattern: "applied",
    topics.HEALTH.pattern: "health",
}
ALL_HEARD_WITHIN = 15.0
"""Seconds after connecting in which every board has been heard of, agents' and the bridge's pauses included."""

READINGS = {topics.VALUE.pattern: "values", topics.QUALITY.pattern: "qualities", topics.RAW.pattern: "raws"}


class Change(Struct, frozen=True):
    """What became different: of a board its `status` or a document, or a reading by its key; of no board, the link."""

    kind: str
    agent: str | None = None
    key: str | None = None
    before: Any = None
    """What it was before; of `samples`, which replace nothing, the block that came."""


UNINTRODUCED = {*READINGS, topics.BLOCK_VALUES.pattern}
"""What makes no board known."""


class Looks(Struct, frozen=True):
    """What of which boards somebody looks at."""

    agents: frozenset[str] = frozenset()
    raws: frozenset[str] = frozenset()
    """Boards whose raws are wanted, too."""
    samples: frozenset[tuple[str, str]] = frozenset()
    """Boards and points whose samples are wanted, too."""


OnChange = Callable[[Change], None]


class BoardCache:
    """What was heard; `on_change` runs on the thread that brought the change, under the lock."""

    def __init__(
        self,
        prefix: str,
        on_change: OnChange,
        all_heard_within: float = ALL_HEARD_WITHIN,
        seen: Mapping[str, float] | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.boards: dict[str, HeardBoard] = {}
        self.broker = False
        self.bridge = False
        self.quiet = False
        """Whether a bridge that says it is online gives no sign of life: it was stopped, or cut off."""
        self._bridge_heard = 0.0
        self._seen = dict(seen or {})
        self._prefix = prefix
        self._match = lru_cache(MOST_TOPICS)(lambda topic: topics.match(topic, prefix))
        self._on_change = on_change
        self._all_heard_within = all_heard_within
        self._beacon: tuple[Echo, float] | None = None
        self._unheard: set[str] = set()
        self._all_heard_at = 0.0

    def filters(self) -> Iterator[tuple[str, int]]:
        """The topics that are always heard."""
        always = (topics.STATUS, topics.CAPABILITIES, topics.CONFIG, topics.APPLIED, topics.HEALTH, topics.BEACON)
        for topic in (*always, topics.QUALITY, topics.VALUE_RESULT, topics.BRIDGE_STATUS, topics.BRIDGE_BEACON):
            yield topic.every(self._prefix), topic.qos

    def filters_of(self, looks: Looks) -> set[tuple[str, int]]:
        """The topics that are heard while somebody looks."""
        of_all = [(topic, agent) for agent in looks.agents for topic in (topics.VALUE, topics.POINT_EVENT)]
        of_some = [(topics.RAW, agent) for agent in looks.raws]
        found = {(topic.every(self._prefix, agent=agent), topic.qos) for topic, agent in (*of_all, *of_some)}
        blocks = topics.BLOCK_VALUES
        return found | {
            (blocks.at(self._prefix, agent=agent, point=point), blocks.qos) for agent, point in looks.samples
        }

    def connected(self) -> None:
        """Begin anew on a connection: what is retained will be told again, what is not there any more is forgotten."""
        with self.lock:
            self.broker, self.bridge, self.quiet, self._beacon = True, False, False, None
            self._unheard, self._all_heard_at = set(self.boards), time.monotonic() + self._all_heard_within
            for board in self.boards.values():
                board.values.clear()
                board.qualities.clear()
                board.raws.clear()
            self._on_change(Change("link"))

    def disconnected(self) -> None:
        """Nothing is heard any more; everything is stale, and keeps its last value."""
        with self.lock:
            self.broker, self.bridge, self.quiet, self._beacon = False, False, False, None
            self._on_change(Change("link"))

    def sweep(self) -> None:
        """Forget the boards that were removed while nothing was heard, notice a quiet bridge; call it now and then."""
        with self.lock:
            silence = time.monotonic() - self._bridge_heard
            if self.bridge and not self.quiet and silence > believed_for(BRIDGE_PERIOD):
                self.quiet = True
                self._on_change(Change("link"))
            if self.broker and self._unheard and time.monotonic() >= self._all_heard_at:
                gone, self._unheard = self._unheard & self.boards.keys(), set()
                for agent in gone:
                    del self.boards[agent]
                    self._on_change(Change("gone", agent))

    def bridge_echo(self, ttl: float) -> Echo | None:
        """Return the bridge's newest beacon on this connection, None if heard more than `ttl` seconds ago."""
        with self.lock:
            if self._beacon is None or time.monotonic() - self._beacon[1] > ttl:
                return None
            return self._beacon[0]

    def unheard(self, agents: Iterable[str], kind: str) -> None:
        """Forget some boards' values or raws, which are not heard any more; qualities always are."""
        with self.lock:
            for agent in agents:
                if agent in self.boards:
                    getattr(self.boards[agent], kind).clear()

    def heard(self, message: Message) -> None:
        """Take a message in; what is malformed changes nothing."""
        match = self._match(message.topic)
        if match is None:
            return
        pattern, levels = match.topic.pattern, match.levels
        with self.lock:
            if pattern == topics.BRIDGE_STATUS.pattern:
                self._bridge_status(message.payload)
            elif pattern == topics.BRIDGE_BEACON.pattern:
                self._bridge_beacon(message)
            elif levels.get("agent", "bridge") not in RESERVED:
                self._of_board(levels["agent"], pattern, levels, message)

    def _bridge_status(self, payload: bytes) -> None:
        online = payload == ONLINE.encode()
        if online != self.bridge:
            self.bridge, self.quiet, self._bridge_heard = online, False, time.monotonic()
            self._on_change(Change("link"))

    def _bridge_beacon(self, message: Message) -> None:
        if not message.retained:
            try:
                beacon = as_model(read_json(message.payload), BridgeBeacon)
            except DocumentError:
                return
            self._bridge_heard = time.monotonic()
            self._beacon = (beacon.echo, self._bridge_heard)
            if self.quiet:
                self.quiet = False
                self._on_change(Change("link"))

    def _of_board(self, agent: str, pattern: str, levels: dict[str, str], message: Message) -> None:
        board = self.boards.get(agent)
        if board is None:
            if not message.payload or pattern in UNINTRODUCED or len(self.boards) >= MOST_BOARDS:
                return
            board = self.boards[agent] = HeardBoard(seen=self._seen.get(agent))
        if pattern != topics.HEALTH.pattern:
            self._unheard.discard(agent)
        if pattern in READINGS:
            self._reading(agent, board, READINGS[pattern], levels, message)
        elif pattern == topics.STATUS.pattern:
            self._status(agent, board, message)
        elif pattern == topics.POINT_EVENT.pattern:
            self._event(agent, levels["point"], message)
        elif pattern == topics.BLOCK_VALUES.pattern:
            self._samples(agent, levels["point"], message.payload)
        elif pattern in DOCUMENTS:
            self._document(agent, board, DOCUMENTS[pattern], message)
        if not message.retained and pattern in (topics.BEACON.pattern, topics.HEALTH.pattern):
            board.seen = time.time()

    def _samples(self, agent: str, point: str, payload: bytes) -> None:
        try:
            self._on_change(Change("samples", agent, point, before=read_block(payload)))
        except BlockError as error:
            log.debug("what is no block came of %s/%s: %s", agent, point, error)

    def _event(self, agent: str, point: str, message: Message) -> None:
        try:
            event = as_model(read_json(message.payload), PointEvent)
        except DocumentError:
            return
        if not message.retained:
            self._on_change(Change("event", agent, point, before=event.reason))

    def _status(self, agent: str, board: HeardBoard, message: Message) -> None:
        if not message.payload:
            self._forget_if_gone(agent, board)
            return
        before, board.status = board.status, ONLINE if message.payload == ONLINE.encode() else OFFLINE
        if before != board.status:
            if not message.retained:
                board.seen = time.time()
            self._on_change(Change("status", agent, before=None if message.retained else before))

    def _document(self, agent: str, board: HeardBoard, name: str, message: Message) -> None:
        before = board.documents.get(name)
        if message.payload:
            try:
                document = read_json(message.payload)
            except DocumentError:
                return
            if not isinstance(document, dict) or document == before:
                return
            board.documents[name] = document
        else:
            board.documents.pop(name, None)
        self._on_change(Change(name, agent, before=None if message.retained else before))
        if not message.payload:
            self._forget_if_gone(agent, board)

    def _forget_if_gone(self, agent: str, board: HeardBoard) -> None:
        """A board whose capabilities and configuration were cleared was removed by somebody."""
        if not board.documents.keys() & {"capabilities", "config"}:
            self.boards.pop(agent, None)
            self._seen.pop(agent, None)
            self._on_change(Change("gone", agent))

    def _reading(self, agent: str, board: HeardBoard, kind: str, levels: dict[str, str], message: Message) -> None:
        key = levels["point"] if "point" in levels else f"{levels['interface']}/{levels['channel']}"
        readings: dict[str, Any] = getattr(board, kind)
        payload = message.payload
        if not payload:
            readings.pop(key, None)
        elif key in readings or len(readings) < MOST_READINGS:
            try:
                readings[key] = payload[:300].decode() if kind == "qualities" else number_from_text(payload)
            except ValueError:
                return
        if kind == "values":
            (board.kept.add if message.retained else board.kept.discard)(key)
        self._on_change(Change(kind, agent, key))
