"""Thousands of agents played by one process: each has a connection of its own and says and hears what an agent does.

`python -m tests.benchmarks.crowd_player PORT FOLDER COUNT`: agents `crowd0` … with the passwords in FOLDER/passwords
and the capabilities in FOLDER/capabilities. Each line on stdin is answered by one of JSON: how they fare. It ends with
stdin. As real agents, they come back after a random second, doubling to five, and when nothing was heard for twice 3 s.
"""

import errno
import heapq
import itertools
import json
import os
import random
import resource
import secrets
import select
import socket
import sys
import time
from pathlib import Path

from tests.benchmarks import crowd_packets as mqtt

CHANNELS = 8
PERIOD = 10.0
"""Seconds in which each agent sends a beacon and each of its raws once."""

DEAF = 3.0
PATIENCE = 10.0
"""Seconds that a broker may take to let an agent in, which tries anew then: a full queue at its door swallows some."""

SOON = (0.5, 1.5)
"""Seconds after which a new bridge hears of an agent."""

STEP = 0.02

HEARD = (
    ("config", 1), ("raw/+/+/set", 1), ("viewers/+", 0), ("sim/+/+", 0), ("status", 1), ("beacon", 0), ("stop", 1),
)  # fmt: skip


class Agent:
    """One that is played: its connection, and when what is due."""

    def __init__(self, number: int, password: str) -> None:
        self.name = f"crowd{number}"
        self.password = password
        self.boot = secrets.token_hex(8)
        self.connection = 0
        self.longest = 1.0
        self.announced = False
        self.sock: socket.socket | None = None
        self.rest = b""
        self.heard_at = 0.0
        self.asked_at: float | None = None
        self.applied = b""
        self.raw = number % 1000
        self.bridge = b""

    def publish(self, topic: str, payload: bytes, *, retain: bool = True, number: int = 0) -> bytes:
        """Return a message on a topic of its own."""
        return mqtt.publish(f"piio/{self.name}/{topic}", payload, retain=retain, number=number)

    def beacon(self) -> bytes:
        """Return a sign of life."""
        said = {"boot": self.boot, "connection": self.connection, "tick": round(time.monotonic(), 6), "period": PERIOD}
        return self.publish("beacon", json.dumps(said).encode(), retain=False)

    def raws(self) -> bytes:
        """Return its readings, each another than before; none before it is configured."""
        if not self.applied:
            return b""
        self.raw = (self.raw + 1) % 1000
        return b"".join(self.publish(f"raw/adc/{n}", b"%d" % (self.raw + n)) for n in range(CHANNELS))

    def say_applied(self) -> bytes:
        """Return what it has in force."""
        nothing = json.dumps({"store": "", "revision": 0, "boot": self.boot, "points": {}, "epoch": 0}).encode()
        return self.publish("config/applied", self.applied or nothing, number=2)

    def configure(self, document: bytes) -> bool:
        """Take a configuration; whether it has points."""
        wanted = json.loads(document)
        envelope = {key: wanted[key] for key in ("store", "revision", "epoch")}
        points = {name: {"ok": True} for name in wanted["points"]}
        self.applied = json.dumps({**envelope, "boot": self.boot, "points": points}).encode() if points else b""
        return bool(points)


class Player:
    """Plays them all on one thread."""

    def __init__(self, port: int, passwords: list[str], capabilities: bytes) -> None:
        self._port = port
        self._capabilities = capabilities
        self._agents = [Agent(number, password) for number, password in enumerate(passwords)]
        self._by_socket: dict[int, Agent] = {}
        self._poll = select.epoll()
        self._poll.register(0, select.EPOLLIN)
        self._due: list[tuple[float, int, Agent, str]] = []
        self._order = itertools.count()
        self.sent = self.lost = self.deaf = 0
        now = time.monotonic()
        for agent in self._agents:
            self._later(now + random.uniform(0, 1), agent, "connect")

    def run(self) -> None:
        """Play until stdin ends."""
        looked = time.monotonic()
        while True:
            begun = time.monotonic()
            for number, events in self._poll.poll(STEP, 4096):
                if number == 0:
                    if not sys.stdin.buffer.raw.read(100):  # type: ignore[union-attr]
                        return
                    self._tell()
                elif agent := self._by_socket.get(number):
                    self._serve(agent, events)
            self._do_due()
            if begun - looked >= 1:
                looked = begun
                self._listen(begun)
            time.sleep(max(0.0, begun + STEP - time.monotonic()))  # what comes meanwhile is read in one go

    def _later(self, at: float, agent: Agent, what: str) -> None:
        heapq.heappush(self._due, (at, next(self._order), agent, what))

    def _do_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, agent, what = heapq.heappop(self._due)
            if what == "connect":
                self._connect(agent)
            elif what == "beacon" and agent.announced:
                self._send(agent, agent.beacon())
            elif what.startswith("period") and what == f"period {agent.connection}" and agent.announced:
                self._later(now + PERIOD, agent, what)
                agent.asked_at = now if agent.asked_at is None else agent.asked_at
                self._send(agent, agent.raws() + agent.beacon() + mqtt.PING)
                self.sent += CHANNELS + 1

    def _connect(self, agent: Agent) -> None:
        agent.sock = sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect_ex(("127.0.0.1", self._port))
        agent.rest, agent.announced = b"", False
        agent.heard_at = time.monotonic()
        self._by_socket[sock.fileno()] = agent
        self._poll.register(sock, select.EPOLLOUT)

    def _serve(self, agent: Agent, events: int) -> None:
        sock = agent.sock
        assert sock is not None
        if events & (select.EPOLLERR | select.EPOLLHUP):
            self._lose(agent)
        elif events & select.EPOLLOUT:
            self._poll.modify(sock, select.EPOLLIN)
            client = f"piio-{secrets.token_hex(12)}"
            will = (f"piio/{agent.name}/status", b"offline")
            self._send(agent, mqtt.connect(client, agent.name, agent.password, int(PERIOD), will))
        else:
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if data:
                self._hear(agent, data)
            else:
                self._lose(agent)

    def _hear(self, agent: Agent, data: bytes) -> None:
        packets, agent.rest = mqtt.split(agent.rest + data)
        for packet in packets:
            kind = packet[0] >> 4
            if kind == mqtt.PUBLISH:
                self._take(agent, *mqtt.published(packet))
            elif kind == mqtt.CONNACK:
                self._greet(agent)

    def _greet(self, agent: Agent) -> None:
        agent.connection += 1
        agent.longest = 1.0
        own = [(f"piio/{agent.name}/{topic}", qos) for topic, qos in HEARD]
        said = [
            mqtt.subscribe([*own, ("piio/bridge/beacon", 0), ("piio/stop", 1)]),
            agent.publish("capabilities", self._capabilities.replace(b"@NAME@", agent.name.encode()), number=1),
            agent.say_applied(),
            agent.raws(),
            agent.publish("status", b"online", number=3),
            agent.beacon(),
        ]
        agent.announced = True
        agent.heard_at, agent.asked_at = time.monotonic(), time.monotonic()
        self._send(agent, b"".join(said))
        self._later(time.monotonic() + random.uniform(0, PERIOD), agent, f"period {agent.connection}")

    def _take(self, agent: Agent, topic: str, payload: bytes, number: bytes) -> None:
        answer = mqtt.acknowledge(number) if number else b""
        if topic == "piio/bridge/beacon":
            agent.heard_at, agent.asked_at = time.monotonic(), None
            self._hear_bridge(agent, payload)
        elif topic.endswith("/beacon"):
            agent.heard_at, agent.asked_at = time.monotonic(), None
        elif topic.endswith("/config"):
            fresh = agent.configure(payload)
            answer += agent.say_applied() + (agent.raws() if fresh else b"")
        elif topic.endswith("/status") and payload != b"online":
            answer += agent.publish("status", b"online", number=3)
        if answer:
            self._send(agent, answer)

    def _hear_bridge(self, agent: Agent, payload: bytes) -> None:
        before, agent.bridge = agent.bridge, payload.partition(b',"tick"')[0]  # its boot and connection
        if before not in (b"", agent.bridge):
            self._later(time.monotonic() + random.uniform(*SOON), agent, "beacon")

    def _listen(self, now: float) -> None:
        for agent in self._agents:
            if now - agent.heard_at < (DEAF if agent.announced else PATIENCE):
                continue
            if not agent.announced:
                self._lose(agent)
            elif agent.asked_at is None:
                agent.asked_at = now
                self._send(agent, agent.beacon())
            elif now - agent.asked_at >= DEAF:
                self.deaf += 1
                self._lose(agent)

    def _send(self, agent: Agent, data: bytes) -> None:
        try:
            if agent.sock is None or agent.sock.send(data) == len(data):
                return
        except OSError as error:
            if error.errno == errno.ENOTCONN:
                return
        self._lose(agent)

    def _lose(self, agent: Agent) -> None:
        if agent.sock is None:
            return
        self.lost += 1
        del self._by_socket[agent.sock.fileno()]
        agent.sock.close()
        agent.sock, agent.announced = None, False
        self._later(time.monotonic() + random.uniform(0, agent.longest), agent, "connect")
        agent.longest = min(agent.longest * 2, 5.0)

    def _tell(self) -> None:
        there = sum(agent.announced for agent in self._agents)
        configured = sum(bool(agent.applied) for agent in self._agents)
        said = {"there": there, "configured": configured, "sent": self.sent, "lost": self.lost, "deaf": self.deaf}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def main(port: int, folder: Path, count: int) -> None:
    """Play so many agents."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.set_blocking(0, False)
    passwords = (folder / "passwords").read_text().split()[:count]
    Player(port, passwords, (folder / "capabilities").read_bytes()).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
