"""Which boards there are, and what they say of themselves."""

import asyncio
import logging

from piio_bridge.clock import Clock
from piio_bridge.control.board import BoardRecord
from piio_bridge.control.outbox import Outbox
from piio_bridge.control.trail import Trail
from piio_bridge.data.plane import DataPlane
from piio_bridge.store.configurations import Configurations
from piio_schemas.beacons import MISSED, PERIOD_WITH_OUTPUTS, PERIOD_WITHOUT_OUTPUTS
from piio_schemas.configuration import ConfigurationError, OutputPoint, read_configuration
from piio_schemas.documents import DocumentError, decode, encode, read_json
from piio_schemas.events import PointEvent
from piio_schemas.identifiers import IdentifierError, check_identity
from piio_schemas.states import OFFLINE, ONLINE, Applied, AppliedPoint, Capabilities, FailSafe
from piio_schemas.topics import APPLIED, CAPABILITIES, CONFIG, POINT_EVENT, STATUS, Topic

log = logging.getLogger(__name__)

MOST_STRANGERS = 10_000
"""Boards of which something was heard, but never their capabilities."""

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

    def connected(self) -> None:
        """A new connection: silence is counted from now."""
        self._own_beacons = 0
        self._connected_at = self._clock.boottime()

    async def load(self) -> None:
        """Bring in the boards that the database knows, and take in those it does not."""
        for agent, document in (await asyncio.to_thread(self._configurations.boards)).items():
            heard = self._strangers.pop(agent) if agent in self._strangers else BoardRecord(agent)
            board = self._boards.setdefault(agent, heard)
            if board.capabilities is None and document:
                board.capabilities = decode(document.encode(), Capabilities)
        for board in list(self._strangers.values()):
            if board.capabilities is not None:
                await self.take_in(board)

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
        for board in self._boards.values():
            if board.status != ONLINE:
                continue
            heard = self._plane.beacon_of(board.agent)
            limit = max(SILENCE, MISSED * (heard.beacon.period if heard else _period(board)))
            if now - max(heard.at if heard else 0.0, self._connected_at, listening) > limit:
                log.warning("%s shows no sign of life: it is offline", board.agent)
                self._outbox.send(STATUS.at(self._prefix, agent=board.agent), OFFLINE, 1, True)

    async def take_in(self, board: BoardRecord) -> None:
        """Make a board known that was never seen."""
        self._strangers.pop(board.agent, None)
        self._boards[board.agent] = board
        if board.capabilities is not None:
            document = encode(board.capabilities).decode()
            await asyncio.to_thread(self._configurations.keep_capabilities, board.agent, document)

    def _hear_status(self, board: BoardRecord, payload: bytes) -> None:
        board.status = payload.decode("ascii", "replace")
        online = board.status == ONLINE
        self._plane.order(lambda readings: readings.hear_status(board.agent, online))

    def _hear_config(self, board: BoardRecord, payload: bytes) -> BoardRecord | None:
        """Keep what was at the broker before us; once we own the configuration, return the board to say it anew."""
        if board.stored is not None:
            return None if self._is_ours(payload) else board
        if payload:
            try:
                board.found = read_configuration(read_json(payload))
            except ConfigurationError as error:
                raise DocumentError(str(error)) from error
        return None

    def _is_ours(self, payload: bytes) -> bool:
        """Whether a configuration is of our database, and not of a bridge that led it before."""
        try:
            document = read_json(payload)
        except DocumentError:
            return False
        if not isinstance(document, dict) or document.get("store") != self._configurations.store:
            return False
        epoch = document.get("epoch")
        return isinstance(epoch, int) and epoch >= self._configurations.epoch

    def _hear_capabilities(self, board: BoardRecord, payload: bytes) -> BoardRecord | None:
        if not payload:
            return None
        if payload == board.said and board.stored is not None:
            return None  # a thousand boards that come back say what they always said
        before, board.capabilities = board.capabilities, decode(payload, Capabilities)
        board.said = payload
        if before == board.capabilities and board.stored is not None:
            return None
        board.renew()
        return board

    def _hear_applied(self, board: BoardRecord, payload: bytes) -> BoardRecord | None:
        if not payload:
            return None
        before, board.applied = board.applied, decode(payload, Applied)
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


def _period(board: BoardRecord) -> float:
    """Return the seconds between the beacons of an agent that was not heard yet."""
    points = board.configuration.points.values()
    outputs = any(isinstance(point, OutputPoint) for point in points)
    return PERIOD_WITH_OUTPUTS if outputs else PERIOD_WITHOUT_OUTPUTS
