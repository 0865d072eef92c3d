"""What was heard, and is under way, on one connection: nothing of it outlives the connection."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from piio.acknowledgements import FAILURE, NO_SUBSCRIBER, NOT_AUTHORIZED, OnAcknowledged
from piio.address import Address
from piio.calls import Calls
from piio.connection import Connection, Message
from piio.errors import NoAnswer, NotAllowed, NotConnected
from piio.picture import Picture
from piio_schemas import topics
from piio_schemas.beacons import BRIDGE_PERIOD, BridgeBeacon, Echo, believed_for
from piio_schemas.commands import SetResult
from piio_schemas.documents import decode
from piio_schemas.states import OFFLINE, ONLINE

log = logging.getLogger(__name__)

BEACON_AGE = 1.5
"""Seconds; a set waits for a beacon when the newest is older than this, and at most this long."""

PRIMED_WITHIN = 1.0
"""Seconds to wait for what is retained where no bridge ever said that it is there."""

OnChange = Callable[[tuple[str, str]], None]
OnLost = Callable[[], None]


class Session:
    """One connection with the picture it paints and the calls that wait on it.

    `on_change` and `on_lost` run on the connection's thread.
    """

    def __init__(self, address: Address, prefix: str, on_change: OnChange, on_lost: OnLost) -> None:
        self.connection = Connection(address, self._heard, self._lost)
        self.prefix = prefix
        self.calls = Calls()
        """Sets and stops."""
        self._requests = Calls()
        self._on_change = on_change
        self._on_lost = on_lost
        self._news = threading.Condition()
        self._picture = Picture()
        self._filters: set[str] = set()
        self._bridge: str | None = None
        self._beacon: BridgeBeacon | None = None
        self._beacon_at = self._greeted_at = time.monotonic()
        self._fences = self._fences_passed = 0
        self._reply = topics.REPLY.at(prefix, user=address.user or "anonymous", rest=secrets.token_hex(8))

    def greet(self) -> None:
        """Ask for what every session needs: the bridge's signs of life, and answers."""
        self._greeted_at = self._beacon_at = time.monotonic()
        beacon, reply = topics.BRIDGE_BEACON.at(self.prefix), self._reply
        self.connection.subscribe([(beacon, 0), (reply, 1)])
        self.want([])

    def want(self, filters: Iterable[str]) -> None:
        """Hear these topics from now on; returns when what is retained of them has arrived."""
        with self._news:
            new = [filter for filter in filters if filter not in self._filters]
            self._filters.update(new)
            # A wish for every board's status brings the bridge's too, once more than the fence does.
            self._fences += 1 + (topics.STATUS.every(self.prefix) in new)
            fence = self._fences
            if new:
                self.connection.subscribe([(filter, 1) for filter in new])
            # Retained messages come in the order of subscriptions: once this one is here, the others are.
            self.connection.subscribe([(topics.BRIDGE_STATUS.at(self.prefix), 1)])
            self._news.wait_for(lambda: self._fences_passed >= fence or not self.connection.connected, PRIMED_WITHIN)

    def subscribe(self, filter: str) -> None:
        """Hear this topic from now on; nothing of it is retained."""
        with self._news:
            if filter not in self._filters:
                self._filters.add(filter)
                self.connection.subscribe([(filter, 1)])

    def look(self, look: Callable[[Picture, str], Any]) -> Any:
        """Return what `look` sees in the picture, given what makes all of it doubtful."""
        with self._news:
            return look(self._picture, self.doubt())

    def wait_until(self, told: Callable[[Picture], bool], within: float) -> None:
        """Wait until the picture shows what is looked for, or nothing can be relied on anyway."""
        with self._news:
            self._news.wait_for(lambda: told(self._picture) or self.doubt(), within)

    def wait(self, told: Callable[[Picture], bool], within: float) -> None:
        """Wait until the picture shows what is looked for, whether or not the bridge is there."""
        with self._news:
            self._news.wait_for(lambda: told(self._picture) or not self.connection.connected, within)

    def doubt(self) -> str:
        """Return why nothing can be relied on now; empty when it can."""
        if not self.connection.connected:
            return "not connected to the broker"
        if self._bridge != ONLINE:
            return "the bridge is offline" if self._bridge else "no bridge has been heard of"
        silence = time.monotonic() - self._beacon_at
        if silence > believed_for(BRIDGE_PERIOD) or (self._beacon is None and silence > BEACON_AGE):
            return f"the bridge has not been heard for {silence:.0f} s"
        return ""

    def hear_bridge(self) -> None:
        """Wait for the connection's first beacon: a retained `online` outlives a bridge that died with the broker."""

        def known() -> bool:
            return self._beacon is not None or self._bridge != ONLINE or not self.connection.connected

        with self._news:
            self._news.wait_for(known, max(self._greeted_at + BEACON_AGE + 0.05 - time.monotonic(), 0))

    def echo(self, within: float = BEACON_AGE) -> Echo:
        """Return the newest beacon of the bridge, waiting for a fresh one; NoAnswer if it is not there."""

        def known() -> bool:
            fresh = self._beacon and time.monotonic() - self._beacon_at < BEACON_AGE
            return bool(fresh) or self._bridge == OFFLINE or not self.connection.connected

        with self._news:
            known_in_time = self._news.wait_for(known, within)
            if not self.connection.connected:
                raise NotConnected(f"not connected to {self.connection.address}: nothing was sent")
            if self._bridge == OFFLINE:
                raise NoAnswer("the bridge is offline: nothing was sent")
            if not known_in_time or self._beacon is None:
                raise NoAnswer("the bridge is not heard: nothing was sent")
            return self._beacon.echo

    def request(self, topic: str, payload: bytes, what: str, within: float) -> bytes:
        """Ask the bridge and return its answer; NotAllowed, NoAnswer or NotConnected say why there is none."""
        with self._news:
            if self._bridge == OFFLINE:
                raise NoAnswer(f"the bridge is offline: it cannot {what}")
        correlation = secrets.token_bytes(8)
        with self._requests.expected(correlation) as answer:
            heard = self._acknowledged(self._requests, correlation, what)
            self.connection.request(topic, payload, self._reply, correlation, heard)
            try:
                return bytes(answer.result(within))
            except TimeoutError as error:
                if isinstance(error, NoAnswer):
                    raise
                raise NoAnswer(f"the bridge did not answer within {within:g} s whether it can {what}") from error

    def acknowledged(self, key: Any, what: str) -> OnAcknowledged:
        """Return what hears the broker's answer to a message, and ends the call `key` if it went nowhere."""
        return self._acknowledged(self.calls, key, what)

    def _acknowledged(self, calls: Calls, key: Any, what: str) -> OnAcknowledged:
        def hear(code: int) -> None:
            if code == NOT_AUTHORIZED:
                user = self.connection.address.user
                calls.fail(key, NotAllowed(f"not allowed: '{user}' may not {what}"))
            elif code == NO_SUBSCRIBER:
                calls.fail(key, NoAnswer(f"nobody is there to {what}: is the bridge running?"))
            elif code >= FAILURE:
                calls.fail(key, NoAnswer(f"the broker did not take it (reason 0x{code:02x}): cannot {what}"))

        return hear

    def _heard(self, message: Message) -> None:
        found = topics.match(message.topic, self.prefix)
        if found is None:
            return
        row = found.topic
        try:
            if row is topics.BRIDGE_STATUS or row is topics.BRIDGE_BEACON:
                self._heard_of_bridge(row, message)
            elif row is topics.VALUE_RESULT:
                result = decode(message.payload, SetResult)
                self.calls.answer(result.id, result)
            elif row is topics.REPLY:
                self._requests.answer(message.correlation, message.payload)
            else:
                self._heard_of_board(row, found.levels, message)
        except ValueError as error:
            log.warning("%s carries what it should not: %s", message.topic, error)

    def _heard_of_bridge(self, row: topics.Topic, message: Message) -> None:
        with self._news:
            if row is topics.BRIDGE_STATUS:
                before, self._bridge = self._bridge, message.payload.decode("utf-8", "replace")
                self._fences_passed += message.retained
                # A set has its time, and a bridge that is soon back may still answer it; for a request that is long.
                if before == ONLINE and self._bridge == OFFLINE:
                    self._requests.fail_all(NoAnswer("outcome unknown: the bridge has gone offline"))
            elif not message.retained:
                self._beacon = decode(message.payload, BridgeBeacon)
                self._beacon_at = time.monotonic()
            self._news.notify_all()

    def _heard_of_board(self, row: topics.Topic, levels: dict[str, str], message: Message) -> None:
        with self._news:
            changed = self._picture.hear(row, levels, message.payload)
            self._news.notify_all()
        if changed and not message.retained:
            self._on_change(changed)

    def _lost(self, reason: str) -> None:
        log.info("%s", reason)
        for calls in (self.calls, self._requests):
            calls.fail_all(NotConnected(f"outcome unknown: {reason}"))
        with self._news:
            self._news.notify_all()
        self._on_lost()
