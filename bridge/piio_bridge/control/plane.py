"""The control plane's connection: one task handles, in stream order, all that is not data."""

import asyncio
import logging
import secrets
from typing import Any

from paho.mqtt.subscribeoptions import SubscribeOptions

from piio.address import Address
from piio.backoff import Backoff
from piio.complaints import Complaints
from piio.connection import Message
from piio_bridge.clock import Clock
from piio_bridge.control.freshness import Freshness
from piio_bridge.control.inbox import Inbox
from piio_bridge.control.link import Link, LinkLost
from piio_bridge.control.outbox import Outbox
from piio_bridge.control.presence import Presence
from piio_bridge.control.requests import Requests
from piio_bridge.control.rivals import Rivals
from piio_bridge.control.sets import Sets
from piio_bridge.control.settling import Settling
from piio_bridge.control.trail import Trail
from piio_bridge.data.plane import DataPlane
from piio_bridge.hearing import Hearing
from piio_bridge.leadership import Leadership
from piio_schemas import topics
from piio_schemas.beacons import BRIDGE_PERIOD, BridgeBeacon
from piio_schemas.documents import DocumentError, decode, encode
from piio_schemas.states import OFFLINE, ONLINE
from piio_schemas.stopping import Stop, read_stop

log = logging.getLogger(__name__)

TURN = 0.02
"""Seconds after which what has arrived meanwhile is looked at, and sent what is to be sent."""

MOST_REQUESTS = 1_000
"""Requests under way at once; others are not answered, as when there is no bridge."""

HEARD = (
    (topics.BRIDGE_BEACON, 0), (topics.VALUE_SET, 0),  # one QoS: their order in the stream is what ages rest on
    (topics.STATUS, 1), (topics.CAPABILITIES, 1), (topics.CONFIG, 1), (topics.APPLIED, 1), (topics.RAW_RESULT, 1),
    (topics.BRIDGE_STATUS, 1), (topics.CONFIG_SET, 1), (topics.REQUEST_HISTORY, 1), (topics.REQUEST_REVISIONS, 1),
    (topics.REQUEST_RESTORE, 1), (topics.REQUEST_COPY, 1), (topics.REQUEST_FORGET, 1), (topics.REQUEST_PREVIEW, 1),
    (topics.REQUEST_AUDIT, 1), (topics.REQUEST_AUDIT_ALL, 1), (topics.WEBAPP_ACTED, 0),
    (topics.STOP, 1), (topics.STOP_ALL, 1),
)  # fmt: skip


class ControlPlane:
    """Keeps a connection, handles what arrives, and sends the bridge's beacon from the very task that handles."""

    def __init__(
        self, address: Address, prefix: str, freshness: Freshness, outbox: Outbox, sets: Sets, requests: Requests,
        presence: Presence, settling: Settling, trail: Trail, data: DataPlane, clock: Clock, leadership: Leadership,
    ) -> None:  # fmt: skip
        self._address = address
        self._prefix = prefix
        self._freshness = freshness
        self._outbox = outbox
        self._sets = sets
        self._requests = requests
        self._presence = presence
        self._settling = settling
        self._trail = trail
        self._data = data
        self._clock = clock
        self._leadership = leadership
        self._hearing = Hearing()
        self._rivals = Rivals(leadership, freshness.boot)
        self._complaints = Complaints(clock)
        self._inbox = Inbox(lambda message: self._refuse("too much at once", message.topic, "the oldest was dropped"))
        self._told = self._said_online = False
        self._mark = b""
        self._requested = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._handlers = {
            topics.BRIDGE_BEACON.pattern: self._hear_own_beacon,
            topics.VALUE_SET.pattern: self._hear_set,
            topics.STATUS.pattern: self._presence_heard,
            topics.CAPABILITIES.pattern: self._presence_heard,
            topics.CONFIG.pattern: self._presence_heard,
            topics.APPLIED.pattern: self._presence_heard,
            topics.RAW_RESULT.pattern: self._hear_result,
            topics.WEBAPP_ACTED.pattern: self._hear_acted,
            topics.STOP.pattern: self._hear_stop,
            topics.STOP_ALL.pattern: self._hear_stop,
        }

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until told to stop or until another bridge leads, over as many connections as it takes."""
        backoff = Backoff()
        while not stopping.is_set() and await self._leadership.confirm():
            try:
                async with Link(self._address, self._prefix, self._inbox.put) as link:
                    backoff.connected()
                    self._freshness.connected()
                    await self._serve(link, stopping)
            except LinkLost as error:
                if backoff.is_news(error):
                    log.warning("no connection to the broker at %r: %s; trying again", self._address, error)
            finally:
                self._outbox.connect(None)
            await _first(stopping.wait(), asyncio.sleep(backoff.pause()))

    async def _serve(self, link: Link, stopping: asyncio.Event) -> None:
        self._data.hurry()
        self._hearing.begin(self._clock.boottime())
        self._rivals.connected(self._clock.boottime())
        self._presence.connected()
        self._inbox.begin()
        self._told = self._said_online = False
        self._outbox.connect(link)
        await link.subscribe([(row.every(self._prefix), _options(row, qos)) for row, qos in HEARD])
        # Of the same QoS as what is retained, so that it comes back after all of it, which our beacon may not. It has a
        # mark, for the status of the bridge before is retained, too, and comes in the midst of that.
        self._mark = secrets.token_bytes(8)
        self._outbox.send(topics.BRIDGE_STATUS.at(self._prefix), OFFLINE, 1, True, self._mark)
        lost, stop = asyncio.ensure_future(link.lost()), asyncio.ensure_future(stopping.wait())
        try:
            await self._handle_all(lost, stop)
            if stopping.is_set():
                self._sets.close()
                self._outbox.send(topics.BRIDGE_STATUS.at(self._prefix), OFFLINE, 1, True)
            await self._outbox.drain()
        except LinkLost:
            link.give_up()
            raise
        finally:
            lost.cancel()
            stop.cancel()
            await asyncio.wait([lost, stop])

    async def _handle_all(self, lost: asyncio.Future[None], stop: asyncio.Future[Any]) -> None:
        loop, inbox = asyncio.get_running_loop(), self._inbox
        for end in (lost, stop):
            end.add_done_callback(lambda _: inbox.arrived.set())
        next_beacon = loop.time()
        while not stop.done() and not lost.done():
            inbox.arrived.clear()
            turn_ends = min(loop.time() + TURN, next_beacon)
            while inbox and loop.time() < turn_ends and await self._leadership.confirm():
                self._handle(inbox.next())
            if not await self._leadership.confirm():
                return
            if loop.time() >= next_beacon:
                if loop.time() - next_beacon > BRIDGE_PERIOD:
                    self._hearing.stood_still(self._clock.boottime())
                next_beacon = max(next_beacon + BRIDGE_PERIOD, loop.time())
                self._beat()
            if inbox:
                await asyncio.sleep(0)  # a flood must neither hold the beacon up nor what is to be sent
                continue
            timer = loop.call_at(next_beacon, inbox.arrived.set)
            await inbox.arrived.wait()
            timer.cancel()
        if not stop.done():
            lost.result()

    def _beat(self) -> None:
        """Send a sign of life, unless nothing is heard: then the connection is worth nothing."""
        now = self._clock.boottime()
        self._hearing.took(self._inbox.take_count())
        if self._hearing.deaf(now):
            raise LinkLost("the bridge's own beacon does not come back")
        self._freshness.epoch = self._leadership.epoch
        beacon = self._freshness.beacon(now, self._clock.unix())
        self._outbox.send(topics.BRIDGE_BEACON.at(self._prefix), encode(beacon), 0)
        self._data.beacon_sent()

    def _handle(self, message: Message) -> None:
        topic, payload = message.topic, message.payload
        found = topics.match(topic, self._prefix)
        if found is None:
            return
        try:
            if self._requests.understands(found.topic):
                self._take_request(found, topic, payload, message)
            elif found.topic is topics.BRIDGE_STATUS:
                self._hear_own_status(payload, message.correlation)
            else:
                self._handlers[found.topic.pattern](found, payload, message.retained)
        except DocumentError as error:
            self._refuse("a malformed document", topic, str(error))
        except Exception:
            log.exception("%s could not be handled", topic[:120])

    def _refuse(self, kind: str, topic: str, reason: str) -> None:
        self._complaints.note(kind, f"{kind} refused: {topic[:120]}: {reason}")

    def _hear_own_beacon(self, _: topics.Match, payload: bytes, retained: bool) -> None:
        beacon, now = decode(payload, BridgeBeacon), self._clock.boottime()
        if not self._freshness.heard(beacon, now):
            if not retained:
                self._rivals.heard(beacon, now)
        else:
            self._hearing.beacon_back(now)
            self._presence.own_beacon_heard()
            self._catch_up()

    def _hear_own_status(self, payload: bytes, mark: bytes | None) -> None:
        if mark == self._mark:
            self._told = True
            self._catch_up()
        if self._said_online and payload != ONLINE.encode():
            self._say_online()

    def _catch_up(self) -> None:
        """Settle all boards once all is known that the broker knows, and it hears us."""
        if self._told and self._freshness.returned and not self._inbox.retained_is_over:
            self._inbox.retained_is_over = True
            self._spawn(self._settling.settle_all(self._say_online))

    def _hear_set(self, found: topics.Match, payload: bytes, retained: bool) -> None:
        self._sets.handle(found.levels["agent"], found.levels["point"], payload, retained)

    def _hear_result(self, found: topics.Match, payload: bytes, _: bool) -> None:
        levels = found.levels
        self._sets.hear_result((levels["agent"], levels["interface"], levels["channel"]), payload)

    def _hear_acted(self, _: topics.Match, payload: bytes, retained: bool) -> None:
        if not retained:
            self._trail.hear_acted(payload)

    def _hear_stop(self, found: topics.Match, payload: bytes, retained: bool) -> None:
        """Put a stop into the audit trail, and pass it on: a retained one is cleared, and is none.

        The agents hear it themselves. What was set before it may reach them through us later; it is stopped by this.
        """
        stop, agent = read_stop(payload), found.levels.get("agent", "")
        topic = found.topic.at(self._prefix, **found.levels)
        if stop is not None and retained:
            self._outbox.send(topic, b"", 1, True)
        elif stop is not None:
            self._trail.stopped(agent, stop)
            if not stop.passed_on:
                self._outbox.send(topic, encode(Stop(by=stop.by, passed_on=True)), 1)

    def _presence_heard(self, found: topics.Match, payload: bytes, _: bool) -> None:
        board = self._presence.hear(found.topic, found.levels["agent"], payload)
        if board is not None and self._inbox.retained_is_over:
            self._settling.note(board, self._spawn)

    def _take_request(self, found: topics.Match, topic: str, payload: bytes, message: Message) -> None:
        if message.retained:
            if payload:
                self._outbox.send(topic, b"", 1, True)
                self._refuse("a retained request", topic, "what causes an action must not be retained")
            return
        reply_to, correlation = message.response_topic, message.correlation
        if reply_to is not None and not self._may_answer(reply_to):
            self._refuse("a request", topic, f"answers go to {topics.REPLY.every(self._prefix)} only")
            return
        if self._requested >= MOST_REQUESTS:
            self._refuse("a request", topic, "too many are under way")
            return
        self._spawn(self._carry_out(found, payload, reply_to, correlation))

    def _may_answer(self, reply_to: str) -> bool:
        found = topics.match(reply_to, self._prefix)
        return found is not None and found.topic is topics.REPLY and not set(reply_to) & {"+", "#"}

    async def _carry_out(
        self, found: topics.Match, payload: bytes, reply_to: str | None, correlation: bytes | None
    ) -> None:
        agent = found.levels.get("agent", "")
        self._requested += 1
        try:
            answer = await self._requests.carry_out(found.topic, agent, payload, _id_of(correlation or b""))
        finally:
            self._requested -= 1
        if reply_to is not None:
            self._outbox.answer(reply_to, correlation, answer)

    def _say_online(self) -> None:
        self._said_online = True
        self._outbox.send(topics.BRIDGE_STATUS.at(self._prefix), ONLINE, 1, True)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            log.error("something could not be carried out", exc_info=task.exception())


def _options(row: topics.Topic, qos: int) -> SubscribeOptions:
    """Return how a topic is heard: as it was published, and stops not when we pass them on."""
    return SubscribeOptions(qos=qos, noLocal=row in (topics.STOP, topics.STOP_ALL), retainAsPublished=True)


def _id_of(correlation: bytes) -> str:
    """Return correlation data as text: what it says, where it says something."""
    text = correlation.decode("ascii", "replace")
    return text if correlation.isascii() and text.isprintable() else correlation.hex()


async def _first(*waits: Any) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
