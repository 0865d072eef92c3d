"""Changes of configuration: checked as a whole, committed, then published."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from piio_bridge.control.board import BoardRecord, plain
from piio_bridge.control.checking import check
from piio_bridge.control.difference import differing
from piio_bridge.control.outbox import Outbox
from piio_bridge.data.plane import DataPlane
from piio_bridge.errors import BridgeError
from piio_bridge.store.configurations import ADOPTED, Addition, Configurations, Stored
from piio_bridge.store.history import History
from piio_schemas.configuration import (
    Configuration,
    ConfigurationError,
    InputPoint,
    OutputPoint,
    Problem,
    merge_patch,
    read_configuration,
)
from piio_schemas.documents import LARGEST, DocumentError, encode
from piio_schemas.requests import ConfigurationAnswer, ConfigurationRequest
from piio_schemas.states import ONLINE
from piio_schemas.topics import CONFIG, QUALITY, RAW, VALUE, of_agent

log = logging.getLogger(__name__)

Document = dict[str, Any]

PATCHED = frozenset({"points", "displays"})
"""What a patch may change: the rest of a configuration is the bridge's."""

TOGETHER = 100
"""Boards whose configuration is asked and stored in one go."""

PACED = 1_000
"""Messages that may wait for the broker before those of more boards follow."""

SAY = 2.0
"""Seconds between two words on how far it is with many boards."""

HIGHEST_JUMP = 1_000_000
"""Epochs that a board may be ahead of an old copy of the database: nobody takes over more often."""

_EMPTY: tuple[Document, str] = ({"points": {}, "displays": {}}, "")
"""The document of a board that is new, and whose it is."""

_EITHER = frozenset(InputPoint.__struct_fields__) & frozenset(OutputPoint.__struct_fields__) | {"direction"}
"""Fields of a point that do not depend on its direction."""


class Refused(BridgeError, ValueError):
    """A change that is not made; carries every problem."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class Change(Struct, frozen=True):
    """What became of a request to change a configuration: its answer, and the paths that differ from before."""

    answer: ConfigurationAnswer
    paths: Sequence[str] = ()


class Changes:
    """Owns what is desired on every board. One change at a time; the database is asked on threads."""

    def __init__(
        self, boards: dict[str, BoardRecord], configurations: Configurations, history: History, plane: DataPlane,
        outbox: Outbox, prefix: str,
    ) -> None:  # fmt: skip
        self._boards = boards
        self._configurations = configurations
        self._history = history
        self._plane = plane
        self._outbox = outbox
        self._prefix = prefix
        self._one_at_a_time = asyncio.Lock()

    async def change(self, agent: str, request: ConfigurationRequest) -> Change:
        """Carry out a request to change a board's configuration."""
        if (request.patch is None) == (request.config is None):
            return _refusal([Problem("", "give either a patch or a config")])
        others = sorted((request.patch or {}).keys() - PATCHED)
        if others:
            return _refusal([Problem(key, "unknown field: a patch is of points and displays") for key in others])

        def wanted(board: BoardRecord) -> Document:
            if request.patch is not None:
                return _patched(board.document, request.patch)
            return dict(request.config or {})

        return await self._replace(agent, wanted, request.by or "", request.base_revision)

    async def restore(self, agent: str, revision: int, by: str) -> Change:
        """Make an old revision the newest."""
        stored = await asyncio.to_thread(self._configurations.revision, agent, revision)
        if stored is None:
            return _refusal([Problem("revision", f"{agent} has no revision {revision}")])
        return await self._replace(agent, lambda _: stored.document, by, None)

    async def copy(self, agent: str, to: str, by: str) -> Change:
        """Carry a board's configuration to another board."""
        source = self._boards.get(agent)
        if source is None:
            return _refusal([Problem("", f"there is no board '{agent}'")])
        if to not in self._boards:
            return _refusal([Problem("to", f"there is no board '{to}'")])
        return await self._replace(to, lambda _: source.document, by, None)

    async def forget(self, agent: str) -> None:
        """Remove an offline board with all its retained topics; Refused if it is online or unknown."""
        async with self._one_at_a_time:
            board = self._boards.get(agent)
            if board is None:
                raise Refused([Problem("", f"there is no board '{agent}'")])
            if board.status == ONLINE or self._plane.silence_of(agent) is None:
                raise Refused([Problem("", f"{agent} is online: stop its agent first")])
            topics = await asyncio.to_thread(self._topics_of, agent)
            await asyncio.to_thread(self._remove, agent, topics)
            del self._boards[agent]
            self._plane.order(lambda readings: readings.forget(agent))
            for topic in topics:
                self._outbox.send(topic, b"", 1, True)

    def _remove(self, agent: str, topics: set[str]) -> None:
        with self._history.leaving_out(agent):
            self._configurations.forget(agent, topics)

    async def settle(self, boards: Collection[BoardRecord]) -> None:
        """Decide what is desired on boards that were heard of, and publish it; many a few at a time."""
        done, said = 0, time.monotonic()
        if await self._overtake(boards):
            boards = list(self._boards.values())
        for some in _by_the(boards, TOGETHER):
            async with self._one_at_a_time:
                await self._settle(some)
            done += len(some)
            if time.monotonic() - said > SAY:
                said = time.monotonic()
                log.info("%d of %d boards have their configuration", done, len(boards))
            await self._outbox.wait_room(PACED)

    async def clear_removed(self) -> None:
        """Delete the retained topics of what was removed: an old broker's database may have brought them back."""
        for topic in await asyncio.to_thread(self._configurations.removed_topics):
            self._outbox.send(topic, b"", 1, True)

    async def _overtake(self, boards: Collection[BoardRecord]) -> bool:
        """Go above an epoch that a board has heard of our database, which is an older copy then; whether there was one.

        The board would take us for the bridge that led before, and refuse whatever we say.
        """
        known = [board.epoch_known(self._configurations.store) for board in boards]
        higher = [epoch for epoch in known if 0 <= epoch - self._configurations.epoch <= HIGHEST_JUMP]
        if not higher or max(higher) == self._configurations.epoch:
            return False
        log.warning("a board knows epoch %d of our database: ours goes above", max(higher))
        async with self._one_at_a_time:
            await asyncio.to_thread(self._configurations.raise_epoch, max(higher) + 1)
        return True

    async def _settle(self, boards: Sequence[BoardRecord]) -> None:
        newest = await asyncio.to_thread(self._configurations.newest, [board.agent for board in boards])
        additions = [addition for board in boards if (addition := self._addition(board, newest.get(board.agent)))]
        if additions:
            newest |= await asyncio.to_thread(self._configurations.add_all, additions)
        for board in boards:
            board.found = None
            self._put_in_force(board, newest[board.agent])

    def _addition(self, board: BoardRecord, stored: Stored | None) -> Addition | None:
        """Return the revision that has to be stored of a board before anything is published; None: it is there."""
        adopted = self._adopted(board, stored)
        revision = adopted.at_least if adopted else stored.revision if stored else 0
        applied, store = board.applied, self._configurations.store
        if applied is not None and applied.store == store and applied.revision > revision:
            log.warning("%s has revision %d and we only %d: ours goes above", board.agent, applied.revision, revision)
            document, by = (
                (adopted.document, adopted.by) if adopted else (stored.document, stored.by) if stored else _EMPTY
            )
            return Addition(board.agent, document, by, applied.revision + 1)
        if adopted or stored:
            return adopted
        return Addition(board.agent, *_EMPTY)

    def _adopted(self, board: BoardRecord, stored: Stored | None) -> Addition | None:
        """Return the configuration that was at the broker, if it is newer than what we have."""
        found = board.found
        if found is None:
            return None
        store, revision = found.envelope.store, found.envelope.revision
        if stored is not None and (store != self._configurations.store or revision <= stored.revision):
            return None
        try:
            document = plain(found.configuration())
        except (ConfigurationError, DocumentError) as error:
            log.warning("%s: the configuration that was at the broker is none: %s", board.agent, error)
            return None
        log.warning("%s: adopted the configuration that was at the broker (revision %d)", board.agent, revision)
        return Addition(board.agent, document, ADOPTED, revision)

    async def _replace(
        self, agent: str, wanted: Callable[[BoardRecord], Document], by: str, base: int | None
    ) -> Change:
        async with self._one_at_a_time:
            board = self._boards.get(agent)
            if board is None or board.stored is None:
                return _refusal([Problem("", f"there is no board '{agent}': it has never been seen here")])
            if base is not None and base != board.stored.revision:
                message = f"the configuration is at revision {board.stored.revision} by now, got {base}: read it again"
                return _refusal([Problem("base_revision", message)])
            try:
                configuration, warnings = self._checked(board, wanted(board))
            except Refused as refusal:
                return _refusal(refusal.problems)
            document = plain(configuration)
            before = plain(board.configuration)
            if _text(document) != _text(before):
                await self._commit(board, document, configuration, by)
            answer = ConfigurationAnswer(ok=True, revision=board.configuration.revision, warnings=warnings)
            return Change(answer, differing(before, document))

    def _checked(self, board: BoardRecord, document: Document) -> tuple[Configuration, list[str]]:
        try:
            configuration = read_configuration(document)
        except ConfigurationError as error:
            raise Refused(error.problems) from error
        before = board.configuration.points
        touched = {name for name, point in configuration.points.items() if _text(before.get(name)) != _text(point)}
        problems, warnings = check(configuration, board.capabilities, touched)
        size = len(encode(configuration)) + 256
        if size > LARGEST:
            problems.append(Problem("", f"{size} bytes are more than a configuration may have ({LARGEST})"))
        if problems:
            raise Refused(problems)
        return configuration, warnings

    async def _commit(self, board: BoardRecord, document: Document, configuration: Configuration, by: str) -> None:
        old, new = self._topics(board.agent, board.configuration), self._topics(board.agent, configuration)
        renamed = _renamed(board.configuration, configuration)
        if renamed:
            await asyncio.to_thread(self._history.flush)  # what waits has the names before
        stored = await asyncio.to_thread(
            self._configurations.add, board.agent, document, by=by, renamed=renamed, removed=old - new, revived=new
        )
        self._put_in_force(board, stored)  # at once: it is committed, whatever fails from here on
        if renamed:
            await asyncio.to_thread(self._history.forget_ids)
        if self._plane.silence_of(board.agent):
            for topic in old - new:  # the agent would clear its raws itself, but it is not there
                self._outbox.send(topic, b"", 1, True)

    def _put_in_force(self, board: BoardRecord, stored: Stored) -> None:
        board.keep(stored, self._configurations.store, self._configurations.epoch)
        configuration = board.configuration
        self._plane.order(lambda readings: readings.configure(board.agent, configuration))
        self._outbox.send(CONFIG.at(self._prefix, agent=board.agent), encode(configuration), 1, True)

    def _topics(self, agent: str, configuration: Configuration) -> set[str]:
        """Return the retained topics that a configuration's points have."""
        topics = set()
        for name, point in configuration.points.items():
            topics |= {row.at(self._prefix, agent=agent, point=name) for row in (VALUE, QUALITY)}
            if point.interface is not None and point.channel is not None:
                levels = {"agent": agent, "interface": point.interface, "channel": point.channel}
                topics.add(RAW.at(self._prefix, **levels))
        return topics

    def _topics_of(self, agent: str) -> set[str]:
        """Return every retained topic that a board may ever have had."""
        rows = (row for row in of_agent() if row.levels == ("agent",))
        topics = {row.at(self._prefix, agent=agent) for row in rows}
        for document in self._configurations.documents(agent):
            topics |= self._topics(agent, read_configuration(document))
        return topics


def _by_the(things: Iterable[BoardRecord], most: int) -> Iterator[list[BoardRecord]]:
    """Yield them in their order, so many at a time."""
    rest = iter(things)
    while some := list(islice(rest, most)):
        yield some


def _patched(document: Document, patch: Document) -> Document:
    """Apply a merge patch; a point that changes its direction loses what only the other direction has."""
    merged: Document = merge_patch(document, patch)
    asked = patch.get("points")
    for name, wanted in asked.items() if isinstance(asked, dict) else ():
        before, after = document["points"].get(name), merged["points"].get(name)
        if before and isinstance(after, dict) and after.get("direction", "input") != before["direction"]:
            merged["points"][name] = {key: after[key] for key in after if key in _EITHER or key in wanted}
    return merged


def _text(thing: Any) -> str:
    """Return JSON to compare by: to Python `1` and `true` are the same."""
    return json.dumps(msgspec.to_builtins(thing), sort_keys=True)


def _renamed(before: Configuration, after: Configuration) -> dict[str, str]:
    """Return which points have just another name: what disappeared and what came are the same but for that."""
    gone = {name: _identity(point) for name, point in before.points.items() if name not in after.points}
    came = {name: _identity(point) for name, point in after.points.items() if name not in before.points}
    pairs = {}
    for old, identity in gone.items():
        heirs = [new for new, other in came.items() if other == identity]
        if len(heirs) == 1 and list(gone.values()).count(identity) == 1:
            pairs[old] = heirs[0]
    return pairs


def _identity(point: Any) -> str:
    own = point.equation if point.interface is None else None
    return json.dumps([type(point).__name__, point.interface, point.channel, own])


def _refusal(problems: list[Problem]) -> Change:
    return Change(ConfigurationAnswer(ok=False, errors=problems))
