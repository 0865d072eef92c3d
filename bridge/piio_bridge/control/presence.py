"""Which boards there are, and what they say of themselves."""

import asyncio
import logging
from collections.abc import Sequence
from hashlib import blake2b
from heapq import heappop, heappush

from piio_bridge.clock import Clock
from piio_bridge.control.alike import read_applied, read_capabilities
from piio_bridge.control.board import BoardRecord, Envelope, Found
from piio_bridge.control.outbox import Outbox
from piio_bridge.control.trail import Trail
from piio_bridge.data.board import HeardBeacon
from piio_bridge.data.plane import DataPlane
from piio_bridge.store.configurations import Configurations
from piio_schemas.beacons import MISSED, PERIOD_WITH_OUTPUTS, PERIOD_WITHOUT_OUTPUTS
from piio_schemas.configuration import OutputPoint
from piio_schemas.documents import DocumentError, encode
from piio_schemas.events import PointEvent
from piio_schemas.identifiers import IdentifierError, check_identity
from piio_schemas.states import OFFLINE, ONLINE, Applied, AppliedPoint, FailSafe
from piio_schemas.topics import APPLIED, CAPABILITIES, CONFIG, POINT_EVENT, STATUS, Topic

log = logging.getLogger(__name__)

MOST_STRANGERS = 20_000
"""Boards of which something was heard, but never their capabilities."""

TOGETHER = 100
"""Boards that are read from the database, or written to it, in one go."""

OWN_BEACONS = 10
"""Own beacons in a row that must have been heard before an agent's silence is believed."""

SILENCE = 10.0
"""Seconds without a beacon after which an agent counts as offline, at least."""


class Presence:
    """Keeps `boards` true to what is heard; says `offline` for agents that cannot say it themselves."""

    def __init__(
        self, boards: dict[str, BoardRecord], configurations: Configurations, plane: DataPlane, outbox: Outbox,
        trail: Trail, clock: Clock, prefix: str,
    ) -> None:  # fmt: skip
        self._boards = boards
        self._configurations = configurations
        self._plane = plane
        self._outbox = outbox
        self._trail = trail
        self._clock = clock
        self._prefix = prefix
        self._strangers: dict[str, BoardRecord] = {}
        self._own_beacons = 0
        self._connected_at = 0.0
        self._due: list[tuple[float, str]] = []
        """When each board that is online may have been silent for too long, at the earliest; the first is the next."""
        self._awaited: set[str] = set()

    def connected(self) -> None:
        """A new connection: silence is counted from now."""
        self._own_beacons = 0
        self._connected_at = self._clock.boottime()

    async def load(self) -> None:
        """Bring in the boards that the database knows, and take in those it does not."""
        page = await asyncio.to_thread(self._configurations.boards, "", TOGETHER)
        while page:
            for agent, document in page.items():
                self._bring_in(agent, document)
            page = await asyncio.to_thread(self._configurations.boards, max(page), TOGETHER)
        await self.take_in([board for board in self._strangers.values() if board.capabilities is not None])

    def _bring_in(self, agent: str, document: str | None) -> None:
        heard = self._strangers.pop(agent) if agent in self._strangers else BoardRecord(agent)
        board = self._boards.setdefault(agent, heard)
        if board.capabilities is None and document:
            board.capabilities = read_capabilities(document.encode())

    def hear(self, row: Topic, agent: str, payload: bytes) -> BoardRecord | None:
        """Take one of an agent's retained documents; returns a board that is to be settled because of it."""
        try:
            check_identity(agent)
        except IdentifierError as error:
            raise DocumentError(str(error)) from error
        board = self._boards.get(agent) or self._strangers.get(agent)
        if board is None:
            if len(self._strangers) >= MOST_STRANGERS:
                raise DocumentError("too many boards that never said what they are")
            board = self._strangers[agent] = BoardRecord(agent)
        if row is STATUS:
            self._hear_status(board, payload)
        if row is CAPABILITIES:
            return self._hear_capabilities(board, payload)
        if row is APPLIED:
            return self._hear_applied(board, payload)
        if row is CONFIG:
            return self._hear_config(board, payload)
        return None

    def own_beacon_heard(self) -> None:
        """Count a beacon of our own, and look who has not sent one for too long."""
        self._own_beacons += 1
        listening = self._plane.listening_since
        if self._own_beacons < OWN_BEACONS or listening is None:
            return
        now = self._clock.boottime()
        while self._due and self._due[0][0] < now:
            self._look_at(heappop(self._due)[1], now, max(self._connected_at, listening))

    def _look_at(self, agent: str, now: float, since: float) -> None:
        """Say `offline` for a board that has been silent for too long; of another see when it may have been."""
        board = self._boards.get(agent) or self._strangers.get(agent)
        if board is None or board.status != ONLINE:
            self._awaited.discard(agent)
            return
        heard = self._plane.beacon_of(agent)
        silent_at = max(heard.at if heard else 0.0, since) + _patience(board, heard)
        if now > silent_at and agent in self._boards:
            log.warning("%s shows no sign of life: it is offline", agent)
            self._outbox.send(STATUS.at(self._prefix, agent=agent), OFFLINE, 1, True)
        heappush(self._due, (max(silent_at, now), agent))

    async def take_in(self, boards: Sequence[BoardRecord]) -> None:
        """Make boards known that were never seen, or have changed."""
        for first in range(0, len(boards), TOGETHER):
            some = boards[first : first + TOGETHER]
            for board in some:
                self._strangers.pop(board.agent, None)
                self._boards[board.agent] = board
            documents = {each.agent: encode(each.capabilities).decode() for each in some if each.capabilities}
            await asyncio.to_thread(self._configurations.keep_capabilities, documents)

    def _hear_status(self, board: BoardRecord, payload: bytes) -> None:
        board.status = payload.decode("ascii", "replace")
        online = board.status == ONLINE
        if online and board.agent not in self._awaited:
            self._awaited.add(board.agent)
            heappush(self._due, (self._clock.boottime() + SILENCE, board.agent))
        self._plane.order(lambda readings: readings.hear_status(board.agent, online))

    def _hear_config(self, board: BoardRecord, payload: bytes) -> BoardRecord | None:
        """Keep what was at the broker before us; once we own the configuration, return the board to say it anew."""
        if board.stored is not None:
            return None if self._is_ours(payload) else board
        board.found = Found(Envelope.read(payload), payload) if payload else None
        return None

    def _is_ours(self, payload: bytes) -> bool:
        """Whether a configuration is of our database, and not of a bridge that led it before."""
        try:
            envelope = Envelope.read(payload)
        except DocumentError:
            return False
        return envelope.store == self._configurations.store and envelope.epoch >= self._configurations.epoch

    def _hear_capabilities(self, board: BoardRecord, payload: bytes) -> BoardRecord | None:
        if not payload:
            return None
        said = blake2b(payload, digest_size=16).digest()
        if said == board.said and board.stored is not None:
            return None  # a thousand boards that come back say what they always said
        before, board.capabilities = board.capabilities, read_capabilities(payload)
        board.said = said
        if before == board.capabilities and board.stored is not None:
            return None
        board.renew()
        return board

    def _hear_applied(self, board: BoardRecord, payload: bytes) -> BoardRecord | None:
        if not payload:
            return None
        before, board.applied = board.applied, read_applied(payload)
        applied = board.applied
        self._plane.order(lambda readings: readings.hear_applied(board.agent, applied))
        self._tell_fail_safes(board, before)
        ours = applied.store == self._configurations.store
        newer = board.stored is not None and applied.revision > board.stored.revision
        ahead = board.stored is not None and (newer or applied.epoch > self._configurations.epoch)
        return board if ours and ahead else None

    def _tell_fail_safes(self, board: BoardRecord, before: Applied | None) -> None:
        """Tell of each fail-safe once, though it may be over by now; of those before our time, where it is not."""
        if board.applied is None:
            return
        known = {_fail_safe(point) for point in before.points.values()} if before else set()
        for name, point in board.applied.points.items():
            found = _fail_safe(point)
            if found and found not in known:
                at = self._clock.unix() if before else found.time
                self._trail.fail_safe(board.agent, name, found, board.applied.boot, at)
            if found and found not in known and (before or point.fail_safe):
                event = PointEvent(kind="fail_safe", reason=found.reason, time=self._clock.unix())
                self._outbox.send(POINT_EVENT.at(self._prefix, agent=board.agent, point=name), encode(event), 1)


def _fail_safe(point: AppliedPoint) -> FailSafe | None:
    """Return the newest fail-safe of a point; the board's time tells it from others of the same reason."""
    return point.last_fail_safe or (FailSafe(point.fail_safe, 0.0) if point.fail_safe else None)


def _patience(board: BoardRecord, heard: HeardBeacon | None) -> float:
    """Return the seconds after which an agent counts as offline; of one not heard yet by what its beacons should be."""
    return max(SILENCE, MISSED * (heard.beacon.period if heard else _period(board)))


def _period(board: BoardRecord) -> float:
    """Return the seconds between the beacons of an agent that was not heard yet."""
    points = board.configuration.points.values()
    outputs = any(isinstance(point, OutputPoint) for point in points)
    return PERIOD_WITH_OUTPUTS if outputs else PERIOD_WITHOUT_OUTPUTS
