"""The data plane's thread: receives raws and beacons in bulk, and sends what becomes of them."""

import logging
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from piio.address import Address
from piio.backoff import Backoff
from piio.complaints import Complaints
from piio.connection import KEEPALIVE
from piio.traffic import forget_unsent
from piio_bridge.clock import Clock
from piio_bridge.data.blocks import Blocks
from piio_bridge.data.board import HeardBeacon
from piio_bridge.data.late import LateReadings
from piio_bridge.data.readings import Outgoing, Readings
from piio_bridge.leadership import Leadership
from piio_schemas.beacons import DEAF, Beacon
from piio_schemas.documents import DocumentError, decode
from piio_schemas.topics import BEACON, BLOCK_RAW, BRIDGE_BEACON, LATE, RAW, match

log = logging.getLogger(__name__)

DOUBTING = 0.01
"""Seconds between two looks at whether we lead, while that is in doubt."""

TICK = 0.25
"""Seconds between two looks at who has fallen silent."""

MOST_UNSENT = 50_000
"""Messages that may wait for a slow broker."""

STALL = 1.0
"""Seconds between two turns from which on we stood still: what came meanwhile was read at times nobody knows."""

MOST_TOPICS = 200_000
"""Topics whose meaning is remembered."""

MOST_AT_ONCE = 2_000
"""Messages taken in one go before what they make is sent."""


_BEACONS = "/beacon"
"""How the topics of all beacons end."""

_LATE = "/late/"
"""What stands in the topics of all late readings."""


class DataPlane:
    """Owns `Readings` on a thread of its own; everything public may be called from any thread."""

    def __init__(self, address: Address, readings: Readings, prefix: str, clock: Clock, leadership: Leadership) -> None:
        self._address = address
        self._leadership = leadership
        self._readings = readings
        self._prefix = prefix
        self._clock = clock
        self._orders: deque[Callable[[], list[Outgoing] | None]] = deque()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._stopping = False
        self._batch: list[tuple[str, bytes]] = []
        self._blocks = Blocks(readings)
        self._late = LateReadings(readings, readings.record, prefix)
        self._waiting_blocks: list[tuple[str, bytes]] = []
        self._complaints = Complaints(clock)
        self._malformed = 0
        self._turned = 0.0
        self._unsaid = 0
        self._up = threading.Event()
        self._beacon_sent = 0.0
        self._beacon_heard = 0.0
        self._accepted = False
        self._listening_since: float | None = None
        self._topics: dict[str, tuple[str, str]] = {}
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

    def wait_up_to_date(self, timeout: float) -> bool:
        """Wait until there is a connection and all orders so far are carried out; False if that takes too long."""
        done = threading.Event()
        self.order(lambda _: done.set())
        return self._up.wait(timeout) and done.wait(timeout)

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
        return self._readings.raw_of(RAW.at(self._prefix, agent=agent, interface=interface, channel=channel))

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"!")
        except BlockingIOError:
            log.debug("the data plane is awake already")

    def _run(self) -> None:
        backoff = Backoff()
        while self._leads():
            client = self._client()
            try:
                client.connect(self._address.host, self._address.port, KEEPALIVE)
                self._serve(client)
                if self._accepted:
                    backoff.connected()
            except (OSError, ValueError) as error:
                if backoff.is_news(error):
                    log.warning("data plane: no broker at %r: %s; trying again", self._address, error)
            except Exception:
                log.exception("data plane: a mistake of ours; connecting anew")
            self._listening_since = None
            self._close(client)
            self._readings.deafen()
            self._carry_out_orders()
            self._sleep(backoff.pause())

    def _client(self) -> mqtt.Client:
        # MQTT 3.1.1: version 5 costs 2.7 times as much to parse. A new client each time: nothing old is sent late.
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, clean_session=True)
        client.username_pw_set(self._address.user, self._address.password)
        if self._address.tls:
            client.tls_set_context(ssl.create_default_context(cafile=self._address.ca_file))
        client.on_connect = self._connected
        client.on_message = self._received
        client.on_socket_open = _without_delay
        self._accepted = False
        self._batch.clear()
        self._waiting_blocks.clear()
        self._up.clear()
        return client

    def _connected(self, client: mqtt.Client, _: Any, __: Any, code: Any, ___: Any) -> None:
        if code.is_failure:
            log.error("data plane: the broker refused '%s': %s", self._address.user, code)
            client.disconnect()
            return
        self._accepted = True
        self._beacon_heard = self._listening_since = self._clock.boottime()
        heard = (BRIDGE_BEACON, BEACON, RAW, BLOCK_RAW, LATE)
        client.subscribe([(topic.every(self._prefix), topic.qos) for topic in heard])
        self._send(client, self._readings.announce())
        self._up.set()

    def _received(self, _: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        if message.retain and (message.topic.endswith(_BEACONS) or _LATE in message.topic):
            return  # a sign of life that was kept is none, and what is late was for whoever was there
        self._batch.append((message.topic, bytes(message.payload)))

    def _serve(self, client: mqtt.Client) -> None:
        next_tick = time.monotonic() + TICK
        self._turned = self._clock.boottime()
        while self._leads():
            self._notice_stall()
            sock: Any = client.socket()
            if sock is None:
                return
            writers = [sock] if client.want_write() else []
            wait = max(0.0, next_tick - time.monotonic())
            readable, writable, _ = select.select([sock, self._wake_reader], writers, [], wait)
            self._notice_stall()
            if self._wake_reader in readable:
                self._wake_reader.recv(4096)
            if sock in readable:
                self._read(client, sock)
            if writable:
                client.loop_write()
            self._send(client, self._take_batch())
            self._send(client, self._take_blocks(), retained=False)
            self._send(client, self._carry_out_orders())
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK
                client.loop_misc()
                self._send(client, self._readings.tick())
                self._complain()
                if self._accepted and self._deaf():
                    log.warning("data plane: deaf for %g s; connecting anew", DEAF)
                    forget_unsent(sock)
                    sock.close()
                    return

    def _notice_stall(self) -> None:
        """Who was stopped for a while, or waited for something, finds all readings of that time at once."""
        before, self._turned = self._turned, self._clock.boottime()
        if self._turned - before > STALL:
            self._readings.stood_still(before)

    def _read(self, client: mqtt.Client, sock: Any) -> None:
        for _ in range(MOST_AT_ONCE):
            client.loop_read()
            if client.socket() is None:
                return
            pending = getattr(sock, "pending", None)
            if not (pending and pending()) and not select.select([sock], [], [], 0)[0]:
                return

    def _take_batch(self) -> list[Outgoing]:
        """Split what arrived into beacons, handled in place, raws, handled at once, and blocks, which wait."""
        batch, self._batch = self._batch, []
        out: list[Outgoing] = []
        raws: list[tuple[str, bytes]] = []
        for topic, payload in batch:
            row, agent = self._kind(topic)
            if row == RAW.pattern:
                raws.append((topic, payload))
            elif row == LATE.pattern:
                self._late.take(topic, payload)
            elif row == BLOCK_RAW.pattern:
                self._waiting_blocks.append((topic, payload))
            elif row == BRIDGE_BEACON.pattern:
                self._beacon_heard = self._clock.boottime()
            elif row == BEACON.pattern:
                out += self._hear(agent, payload)
        # Told in the order in which it was judged: a quality from before the raws must not come after theirs.
        return out + self._readings.take(raws)

    def _take_blocks(self) -> list[Outgoing]:
        """Handle the blocks that arrived, after the raws: their equations may need the values of those."""
        batch, self._waiting_blocks = self._waiting_blocks, []
        return self._blocks.take(batch)

    def _kind(self, topic: str) -> tuple[str, str]:
        """Return the row of the table and the agent of a topic."""
        found = self._topics.get(topic)
        if found is None:
            matched = match(topic, self._prefix)
            found = (matched.topic.pattern, matched.levels.get("agent", "")) if matched else ("", "")
            if len(self._topics) >= MOST_TOPICS:
                self._topics.clear()
            self._topics[topic] = found
        return found

    def _hear(self, agent: str, payload: bytes) -> list[Outgoing]:
        try:
            return self._readings.hear_beacon(agent, decode(payload, Beacon))
        except DocumentError:
            self._readings.malformed += 1
            return []

    def _complain(self) -> None:
        """Say now and then that there was nonsense; how much is counted."""
        before, self._malformed = self._malformed, self._readings.malformed
        if self._malformed > before:
            self._complaints.note(
                "data", f"{self._malformed} messages refused so far: neither number, beacon, block nor late readings"
            )

    def _carry_out_orders(self) -> list[Outgoing]:
        out: list[Outgoing] = []
        while self._orders:
            try:
                out += self._orders.popleft()() or []
            except Exception:
                log.exception("data plane: an order could not be carried out")
        return out

    def _send(self, client: mqtt.Client, messages: list[Outgoing], retained: bool = True) -> None:
        if not self._accepted or not self._leads():
            return  # everything is announced when the broker has accepted us, or by who leads
        if len(client._out_packet) > MOST_UNSENT:
            self._unsaid += len(messages)  # who reads so slowly gets all that is, as it is then, when it has caught up
            return
        if self._unsaid and not client._out_packet:
            self._complaints.note("slow", f"the broker was too slow: {self._unsaid} messages were left out")
            self._unsaid, messages, retained = 0, self._readings.announce(), True
        for topic, payload in messages:
            client.publish(topic, payload, 0, retained)

    def _leads(self) -> bool:
        """Whether to go on; while it is in doubt whether we lead, nothing is done and this waits."""
        while not self._leadership.holds():
            if self._stopping or self._leadership.over:
                return False
            time.sleep(DOUBTING)
        return not self._stopping

    def _deaf(self) -> bool:
        now = self._clock.boottime()
        sent_lately = now - self._beacon_sent < DEAF
        return sent_lately and now - self._beacon_heard > DEAF

    def _close(self, client: mqtt.Client) -> None:
        try:
            client.disconnect()
        except (OSError, ValueError):
            log.debug("data plane: the connection was down already")

    def _sleep(self, seconds: float) -> None:
        """Wait, but carry out orders meanwhile, so that nobody sees old readings when the broker is back."""
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            if select.select([self._wake_reader], [], [], left)[0]:
                self._wake_reader.recv(4096)
                self._carry_out_orders()


def _without_delay(_: mqtt.Client, __: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
