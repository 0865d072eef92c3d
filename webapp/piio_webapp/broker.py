"""The web app's connection to the broker: what it hears, the requests it makes and the leases it holds."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from piio.connection import Connection, Message, Will
from piio.errors import NotConnected
from piio.keeper import Keeper
from piio_schemas import topics
from piio_schemas.audit import Acted
from piio_schemas.commands import GRACE, SetResult
from piio_schemas.documents import DocumentError, decode, encode, read_json
from piio_schemas.requests import LEASE, LEASE_RENEWED, ViewersLease
from piio_schemas.states import OFFLINE, ONLINE
from piio_schemas.stopping import Stop
from piio_webapp.board_cache import BoardCache, Looks
from piio_webapp.options import Options

log = logging.getLogger(__name__)

LONGEST_ANSWER = 10.0
"""Seconds a request may take to be answered."""

GATHER = 0.02
"""Seconds for which what comes from the broker gathers at most: a page is told at most 20 times in any second."""

MOST_WAITING = 1000
"""Requests and sets that may wait for an answer at once."""

NO_ANSWER = {"ok": False, "error": {"message": "the bridge did not answer: see whether it is running"}}

OnAnswer = Callable[[Any], None]


class Waiting(Struct):
    """Somebody who waits for an answer until a monotonic time."""

    until: float
    then: OnAnswer
    otherwise: Any
    """The answer when none comes."""


class Broker:
    """The connection, kept up; whatever waits for an answer gets one."""

    def __init__(self, options: Options, instance: str, cache: BoardCache) -> None:
        self.prefix = options.prefix
        self.user = options.address.user or "webapp"
        self.on_tick: Callable[[], None] = lambda: None
        """What else is to be looked at every tenth of a second."""
        self._address = options.address
        self._cache = cache
        self._status = topics.WEBAPP_STATUS.at(self.prefix, instance=instance)
        self._acted = topics.WEBAPP_ACTED.at(self.prefix, instance=instance)
        self._reply = topics.REPLY.at(self.prefix, user=self.user, rest=instance)
        self._keeper = Keeper(self._make, self._serve)
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}
        self._looked: dict[str, float] = {}
        self._looks = Looks()
        self._stopping = threading.Event()
        self._clock = threading.Thread(target=self._keep_time, name="leases and answers", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached now."""
        return self._keeper.connection is not None

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._keeper.start()
        self._clock.start()

    def stop(self) -> None:
        """Say offline and goodbye."""
        self._stopping.set()
        connection = self._keeper.connection
        if connection:
            try:
                connection.publish(self._status, OFFLINE, 1, True)
            except NotConnected:
                log.debug("the connection ended before the goodbye; the will says offline")
        self._keeper.stop()

    def look_at(self, looks: Looks) -> None:
        """Hear what somebody looks at, and nothing else of that kind.

        On each board a lease is held, so that its inputs are read at their period.
        """
        with self._lock:
            before, self._looks = self._looks, looks
            self._looked = {agent: self._looked.get(agent, -LEASE_RENEWED) for agent in looks.agents}
            old, new = self._cache.filters_of(before), self._cache.filters_of(looks)
        connection = self._keeper.connection
        if connection and new - old:
            connection.subscribe(new - old)
        if connection and old - new:
            connection.unsubscribe(filter for filter, _ in old - new)
        self._cache.unheard(before.agents - looks.agents, "values")
        self._cache.unheard(before.raws - looks.raws, "raws")
        if connection:
            self._renew(connection, time.monotonic())

    def request(self, topic: str, request: Any, then: OnAnswer, acts: Callable[[str], Acted] | None = None) -> None:
        """Publish a request; `then` gets its answer, or what says that there was none. NotConnected while down.

        `acts` says whom it is for, where it changes something.
        """
        connection = self._connection()
        correlation = secrets.token_hex(8)
        self._wait(correlation, Waiting(time.monotonic() + LONGEST_ANSWER, then, NO_ANSWER))
        try:
            if acts:
                self._vouch(connection, acts(correlation))
            connection.request(topic, encode(request), self._reply, correlation.encode())
        except Exception:
            self._forget(correlation)
            raise

    def set(self, topic: str, payload: bytes, acted: Acted, ttl: float, then: OnAnswer) -> None:
        """Publish a set of the id that is vouched for; NotConnected while down.

        `then` gets its result within `ttl` and a second's grace.
        """
        connection, id = self._connection(), acted.id
        unknown = SetResult(id=id, status="failed", reason="outcome unknown: no result came in time")
        self._wait(id, Waiting(time.monotonic() + ttl + GRACE, then, unknown))
        try:
            self._vouch(connection, acted)
            sent = connection.publish(topic, payload, topics.VALUE_SET.qos)
        except Exception:
            self._forget(id)
            raise
        if sent is None:
            self._forget(id)
            raise NotConnected("the broker is too slow: nothing was sent")

    def stop_boards(self, topic: str, stop: Stop, acted: Acted) -> None:
        """Publish a stop; NotConnected while down."""
        connection = self._connection()
        self._vouch(connection, acted)
        if connection.publish(topic, encode(stop), topics.STOP.qos) is None:
            raise NotConnected("the broker is too slow: nothing was sent")

    def _vouch(self, connection: Connection, acted: Acted) -> None:
        """Tell the bridge for whom the next message is: in one stream, so that it comes first."""
        connection.publish(self._acted, encode(acted), topics.WEBAPP_ACTED.qos)

    def _connection(self) -> Connection:
        connection = self._keeper.connection
        if connection is None:
            raise NotConnected("the broker cannot be reached: nothing was sent")
        return connection

    def _make(self) -> Connection:
        will = Will(self._status, OFFLINE.encode())
        return Connection(self._address, self._heard, self._lost, will, GATHER)

    def _serve(self, connection: Connection) -> None:
        self._cache.connected()
        own = [(self._status, 1), (self._reply, topics.REPLY.qos)]
        connection.subscribe([*self._cache.filters(), *own])
        with self._lock:
            looked = self._cache.filters_of(self._looks)
        if looked:
            connection.subscribe(looked)
        connection.publish(self._status, ONLINE, 1, True)

    def _lost(self, reason: str) -> None:
        log.warning("%s", reason)
        self._cache.disconnected()
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            each.then(each.otherwise)

    def _heard(self, message: Message) -> None:
        if message.topic == self._reply:
            self._answered(message)
        elif message.topic == self._status:
            connection = self._keeper.connection
            if message.payload != ONLINE.encode() and connection and not self._stopping.is_set():
                connection.publish(self._status, ONLINE, 1, True)
        elif message.topic.endswith("/result"):
            self._result(message)
        else:
            self._cache.heard(message)

    def _answered(self, message: Message) -> None:
        waiting = self._forget((message.correlation or b"").decode("ascii", "replace"))
        if waiting:
            try:
                waiting.then(read_json(message.payload))
            except DocumentError as error:
                waiting.then({"ok": False, "error": {"message": f"the bridge's answer cannot be read: {error}"}})

    def _result(self, message: Message) -> None:
        try:
            result = decode(message.payload, SetResult)
        except DocumentError:
            return
        waiting = self._forget(result.id)
        if waiting:
            waiting.then(result)

    def _wait(self, id: str, waiting: Waiting) -> None:
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise NotConnected("too many requests wait for an answer: nothing was sent")
            self._waiting[id] = waiting

    def _forget(self, id: str) -> Waiting | None:
        with self._lock:
            return self._waiting.pop(id, None)

    def _keep_time(self) -> None:
        while not self._stopping.wait(0.1):
            now = time.monotonic()
            with self._lock:
                late = [id for id, waiting in self._waiting.items() if waiting.until <= now]
                overdue = [self._waiting.pop(id) for id in late]
            for waiting in overdue:
                waiting.then(waiting.otherwise)
            self._cache.sweep()
            self.on_tick()
            connection = self._keeper.connection
            if connection:
                self._renew(connection, now)

    def _renew(self, connection: Connection, now: float) -> None:
        with self._lock:
            due = [agent for agent, renewed in self._looked.items() if now - renewed >= LEASE_RENEWED]
            self._looked.update(dict.fromkeys(due, now))
        for agent in due:
            topic = topics.VIEWERS.at(self.prefix, agent=agent, user=self.user)
            try:
                connection.publish(topic, encode(ViewersLease(LEASE)), topics.VIEWERS.qos)
            except NotConnected:
                return
