"""The data plane's thread: receives raws and beacons in bulk, and sends what becomes of them."""

import itertools
import logging
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import paho.mqtt.client as mqtt

from piio.address import Address
from piio.backoff import Backoff
from piio.complaints import Complaints
from piio_bridge.clock import Clock
from piio_bridge.data.board import HeardBeacon
from piio_bridge.data.packets import Message, Outgoing
from piio_bridge.data.readings import Readings
from piio_bridge.data.session import Session
from piio_bridge.data.sorting import Sorting
from piio_bridge.hearing import Hearing
from piio_bridge.leadership import Leadership
from piio_schemas.beacons import DEAF
from piio_schemas.topics import BEACON, BLOCK_RAW, BRIDGE_BEACON, LATE, RAW

log = logging.getLogger(__name__)

DOUBTING = 0.01
"""Seconds between two looks at whether we lead, while that is in doubt."""

TICK = 0.25
"""Seconds between two looks at who has fallen silent."""

STALL = 1.0
"""Seconds between two turns from which on we stood still: what came meanwhile was read at times nobody knows."""

BUSY = 4
"""Messages of one turn from which on more are thought to follow at once."""

GATHER = 0.001
"""Seconds that a turn lasts then, at least: it costs what twenty messages do, whatever their number."""

HEARD = (BRIDGE_BEACON, BEACON, RAW, BLOCK_RAW, LATE)


class DataPlane:
    """Owns `Readings` on a thread of its own; everything public may be called from any thread."""

    def __init__(self, address: Address, readings: Readings, prefix: str, clock: Clock, leadership: Leadership) -> None:
        self._address = address
        self._leadership = leadership
        self._readings = readings
        self._prefix = prefix
        self._clock = clock
        self._hearing = Hearing()
        self._sorting = Sorting(readings, prefix, clock, self._hearing)
        self._orders: deque[Callable[[], list[Outgoing] | None]] = deque()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)  # who orders must not wait: without it no lease is renewed
        self._stopping = self._hurried = False
        self._complaints = Complaints(clock)
        self._malformed = self._dropped = 0
        self._turned = 0.0
        self._questions = itertools.count(1)
        self._asked = self._asking = self._answered = 0
        self._news = threading.Condition()
        self._beacon_sent = 0.0
        self._listening_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="piio data plane", daemon=True)

    def __enter__(self) -> "DataPlane":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._wake()
        self._thread.join(5)

    def order(self, order: Callable[[Readings], list[Outgoing] | None]) -> None:
        """Have something done to the readings, in the order of the calls, and what it makes sent."""
        self._orders.append(lambda: order(self._readings))
        self._wake()

    def ask_whether_taken(self) -> int:
        """Ask whether the broker has taken what all orders so far make; the number is for `wait_taken`.

        That it was sent is not enough: the broker may hear what others say later, the control plane for one, first.
        """
        number = next(self._questions)
        self.order(lambda _: self._ask(number))
        return number

    def wait_taken(self, question: int, timeout: float) -> bool:
        """Wait until the answer is yes; False if that takes longer than `timeout` seconds."""
        with self._news:
            return self._news.wait_for(lambda: self._answered >= question, timeout)

    def hurry(self) -> None:
        """There is a broker: connect now, if there is no connection. Agents that hear of us say once that they live."""
        self._hurried = True
        self._wake()

    def beacon_sent(self) -> None:
        """Note that the bridge's beacon is on its way: it should be heard here too."""
        self._beacon_sent = self._clock.boottime()

    def beacon_of(self, agent: str) -> HeardBeacon | None:
        """Return the newest beacon of an agent on the present connection."""
        board = self._readings.boards.get(agent)
        return board.heard if board else None

    @property
    def listening_since(self) -> float | None:
        """Boottime since which the present connection is up; None: nobody could be heard."""
        return self._listening_since

    def silence_of(self, agent: str) -> str | None:
        """Return why nothing is heard of an agent, None while it is."""
        board = self._readings.boards.get(agent)
        return board.silence if board else f"{agent} is not known"

    def raw_of(self, agent: str, interface: str, channel: str) -> float | None:
        """Return the last raw of a channel."""
        return self._readings.raw_of(RAW.at(self._prefix, agent=agent, interface=interface, channel=channel).encode())

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"!")
        except BlockingIOError:
            log.debug("the data plane is awake already")

    def _run(self) -> None:
        backoff = Backoff()
        while self._leads():
            session = Session(self._address, lambda: self._begin(session), self._heard_late)  # noqa: B023
            try:
                session.open()
                self._serve(session)
            except (OSError, ValueError) as error:
                if backoff.is_news(error):
                    log.warning("data plane: no broker at %r: %s; trying again", self._address, error)
            except Exception:
                log.exception("data plane: a mistake of ours; connecting anew")
            if session.accepted:
                backoff.connected()
            self._listening_since = None
            self._close(session)
            self._readings.deafen()
            self._carry_out_orders()
            self._sleep(backoff.pause())

    def _begin(self, session: Session) -> None:
        self._listening_since = self._clock.boottime()
        self._hearing.begin(self._listening_since)
        session.subscribe((topic.every(self._prefix), topic.qos) for topic in HEARD)
        self._send(session, self._readings.announce())
        self._asking, self._hurried = 0, False

    def _serve(self, session: Session) -> None:
        next_tick = time.monotonic() + TICK
        self._turned = self._clock.boottime()
        while self._leads() and session.is_open:
            self._notice_stall()
            if session.wait(self._wake_reader, max(0.0, next_tick - time.monotonic())):
                self._wake_reader.recv(4096)
            self._notice_stall()
            messages = session.receive()
            # First, as what came may be the answer to it: the first readings of a configuration.
            self._send(session, self._carry_out_orders())
            self._take(session, messages)
            self._have_confirmed(session)
            if len(messages) >= BUSY:
                time.sleep(max(0.0, self._turned + GATHER - self._clock.boottime()))
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK
                session.look_after()
                self._send(session, self._readings.tick())
                self._complain(session)
                if self._deaf() and session.accepted:
                    log.warning("data plane: deaf for %g s; connecting anew", DEAF)
                    session.cut_off()
                    return
        if session.refusal:
            log.error("data plane: the broker refused '%s': %s", self._address.user, session.refusal)

    def _ask(self, number: int) -> None:
        self._asked = number

    def _have_confirmed(self, session: Session) -> None:
        """Ask the broker to confirm what it was sent, if somebody waits for it; each connection anew."""
        if self._asked > max(self._asking, self._answered) and session.accepted and session.all_sent:
            self._asking = number = self._asked
            session.confirm(lambda: self._confirmed(number))

    def _confirmed(self, number: int) -> None:
        with self._news:
            self._answered = number
            self._news.notify_all()

    def _take(self, session: Session, messages: Sequence[Message]) -> None:
        if messages:
            self._hearing.took(len(messages))
            self._send(session, self._sorting.take(messages))
            self._send(session, self._sorting.take_blocks(), retained=False)

    def _heard_late(self, message: mqtt.MQTTMessage) -> None:
        if not message.retain:  # what is late was for whoever was there
            self._sorting.take_late(message.topic, bytes(message.payload))

    def _notice_stall(self) -> None:
        """Who was stopped for a while, or waited for something, finds all readings of that time at once."""
        before, self._turned = self._turned, self._clock.boottime()
        if self._turned - before > STALL:
            self._readings.stood_still(before)

    def _complain(self, session: Session) -> None:
        """Say now and then that there was nonsense, or a broker too slow; how much is counted."""
        before, self._malformed = self._malformed, self._readings.malformed
        if self._malformed > before:
            self._complaints.note(
                "data", f"{self._malformed} messages refused so far: neither number, beacon, block nor late readings"
            )
        before, self._dropped = self._dropped, session.dropped
        if self._dropped > before:
            self._complaints.note("slow", f"the broker is too slow: {self._dropped} messages gave way to newer ones")

    def _carry_out_orders(self) -> list[Outgoing]:
        out: list[Outgoing] = []
        while self._orders:
            try:
                out += self._orders.popleft()() or []
            except Exception:
                log.exception("data plane: an order could not be carried out")
        return out

    def _send(self, session: Session, messages: Sequence[Outgoing], retained: bool = True) -> None:
        # Everything is announced when the broker has accepted us, or by who leads.
        if messages and session.accepted and self._leads():
            session.send(messages, retained)

    def _leads(self) -> bool:
        """Whether to go on; while it is in doubt whether we lead, nothing is done and this waits."""
        while not self._leadership.holds():
            if self._stopping or self._leadership.over:
                return False
            time.sleep(DOUBTING)
        return not self._stopping

    def _deaf(self) -> bool:
        """Whether our own beacon does not come back, of those that the control plane sends."""
        now = self._clock.boottime()
        return self._hearing.deaf(now) and now - self._beacon_sent < DEAF

    def _close(self, session: Session) -> None:
        try:
            session.close()
        except (OSError, ValueError):
            log.debug("data plane: the connection was down already")

    def _sleep(self, seconds: float) -> None:
        """Wait, but carry out orders meanwhile, so that nobody sees old readings when the broker is back."""
        until = time.monotonic() + seconds
        while not (self._stopping or self._hurried) and (left := until - time.monotonic()) > 0:
            if select.select([self._wake_reader], [], [], left)[0]:
                self._wake_reader.recv(4096)
                self._carry_out_orders()
        self._hurried = False
