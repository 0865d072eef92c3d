"""A real broker, a real bridge process, and peers that speak to it as agents and people do."""

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from piio.address import Address
from piio.connection import Connection, Message
from tests.ports import free_port, wait_open

PATIENCE = 10.0


class Broker:
    """A Mosquitto without accounts, which can be killed and started anew with nothing remembered."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        self._file.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", self._file], stderr=subprocess.DEVNULL)
        wait_open(self.port)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Peer:
    """Somebody at the broker who remembers all that was heard."""

    def __init__(self, broker: Broker, *filters: str) -> None:
        self._heard: list[Message] = []
        self._changed = threading.Condition()
        self._correlations = itertools.count(1)
        self.connection = Connection(Address("127.0.0.1", broker.port, "anna"), self._hear)
        self.connection.open()
        self.connection.subscribe([(filter, 1) for filter in (*filters, "piio/reply/anna/#")])

    def _hear(self, message: Message) -> None:
        with self._changed:
            self._heard.append(message)
            self._changed.notify_all()

    def publish(self, topic: str, payload: Any, retain: bool = False, qos: int = 1) -> None:
        data = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
        self.connection.publish(topic, data, qos, retain)

    def mark(self) -> int:
        return len(self._heard)

    def wait(
        self, topic: str, wanted: Callable[[bytes], bool] = bool, since: int = 0, timeout: float = PATIENCE
    ) -> bytes:
        """Return the first payload on a topic that is wanted, heard after the mark."""
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                for message in self._heard[since:]:
                    if message.topic == topic and wanted(message.payload):
                        return message.payload
                if not self._changed.wait(max(0.0, until - time.monotonic())):
                    heard = [(message.topic, message.payload[:200]) for message in self._heard[-15:]]
                    raise AssertionError(f"nothing wanted on {topic}; the last that was heard: {heard}")

    def last(self, topic: str) -> bytes | None:
        """Return the newest payload on a topic."""
        return next((message.payload for message in reversed(self._heard) if message.topic == topic), None)

    def heard_on(self, topic: str, since: int = 0) -> list[bytes]:
        return [message.payload for message in self._heard[since:] if message.topic == topic]

    def request(self, topic: str, document: Any, reply_to: str = "piio/reply/anna/1") -> Any:
        """Send a request and return its answer."""
        correlation = str(next(self._correlations)).encode()
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        since = self.mark()
        self.connection.request(topic, data, reply_to, correlation)
        until = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                for message in self._heard[since:]:
                    if message.topic == reply_to and message.correlation == correlation:
                        return json.loads(message.payload)
                if not self._changed.wait(max(0.0, until - time.monotonic())):
                    raise AssertionError(f"no answer to {topic}")

    def close(self) -> None:
        self.connection.close()


class Board(Peer):
    """An agent as the bridge sees one: it announces itself, applies what comes, beats, and answers writes."""

    CAPABILITIES: ClassVar[Any] = {
        "gpio": {
            "driver": "simulated", "title": "GPIO", "ok": True,
            "channels": {
                "17": {"label": "GPIO17", "directions": ["input", "output"], "kind": "digital"},
                "18": {"label": "GPIO18", "directions": ["input", "output"], "kind": "digital"},
            },
            "settings": {
                "type": "object", "additionalProperties": False, "properties": {"active_low": {"type": "boolean"}},
            },
        },
        "adc": {
            "driver": "simulated", "title": "ADC", "ok": True, "fastest": 10_000,
            "channels": {
                str(n): {"label": f"ADC{n}", "directions": ["input"], "kind": "analog", "low": 0, "high": 1023}
                for n in range(8)
            },
        },
        "dac": {
            "driver": "x", "title": "DAC", "ok": True,
            "channels": {"0": {"label": "DAC", "directions": ["output"], "kind": "analog", "low": 0, "high": 255}},
        },
    }  # fmt: skip

    def __init__(self, broker: Broker, name: str, boot: str = "boot1") -> None:
        self.name = name
        self.boot = boot
        self.answering = True
        self.beating = threading.Event()
        self.beating.set()
        self._over = threading.Event()
        self.writes: list[Any] = []
        super().__init__(broker, f"piio/{name}/config", f"piio/{name}/raw/+/+/set")
        self.say("capabilities", {"agent": name, "boot": boot, "software": "test", "board": {},
                                  "interfaces": self.CAPABILITIES})  # fmt: skip
        self.publish(f"piio/{name}/status", "online", retain=True)
        self._beats = threading.Thread(target=self._beat, daemon=True)
        self._beats.start()

    def say(self, what: str, document: Any) -> None:
        self.publish(f"piio/{self.name}/{what}", document, retain=True)

    def raw(self, channel: str, value: str) -> None:
        self.publish(f"piio/{self.name}/raw/{channel}", value, retain=True, qos=0)

    def _beat(self) -> None:
        while not self._over.wait(0.25):
            if self.beating.is_set() and self.connection.connected:
                beacon = {"boot": self.boot, "connection": 1, "tick": time.monotonic(), "period": 1}
                self.publish(f"piio/{self.name}/beacon", beacon, qos=0)

    def _hear(self, message: Message) -> None:
        if message.topic.endswith("/config") and message.payload.startswith(b'{"store":'):
            document = json.loads(message.payload)
            points = {name: {"ok": True} for name in document["points"]}
            envelope = {key: document[key] for key in ("store", "revision")}
            self.say("config/applied", {**envelope, "boot": self.boot, "points": points})
        elif message.topic.endswith("/set"):
            self._write(message)
        super()._hear(message)

    def _write(self, message: Message) -> None:
        write = json.loads(message.payload)
        self.writes.append(write)
        if self.answering:
            channel = message.topic.removesuffix("/set")
            self.publish(channel, str(int(write["value"])), retain=True, qos=0)
            result = {"id": write["id"], "status": "done", "reason": "", "read": write["value"]}
            self.publish(f"{channel}/result", result)

    def close(self) -> None:
        self._over.set()
        super().close()


class Bridge:
    """A `piio bridge` process."""

    def __init__(self, broker: Broker, state: Path, *options: str, leads: bool = True) -> None:
        self.broker = broker
        self.state = state
        self._options = options
        self.start(leads=leads)

    def start(self, *, leads: bool = True) -> None:
        """Start it, and wait until it leads if it is to."""
        url = f"mqtt://bridge@127.0.0.1:{self.broker.port}"
        command = [sys.executable, "-m", "piio", "bridge", "--url", url, "--state", str(self.state), *self._options]
        self._plain = False
        with (self.state / "bridge.log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log)
        if not leads:
            return
        listener = Peer(self.broker, "piio/bridge/status", "piio/bridge/beacon")
        # It may have to see first that nobody else does.
        listener.wait("piio/bridge/beacon", timeout=2 * PATIENCE)
        listener.wait("piio/bridge/status", b"online".__eq__)
        listener.close()

    def wait_for_plain_sets(self) -> None:
        """Wait until it takes plain sets: for its first two seconds a bridge takes echoed ones only."""
        if self._plain:
            return
        peer = Peer(self.broker, "piio/bridge/beacon", "piio/nobody/value/nothing/result")
        until, reason = time.monotonic() + 2 * PATIENCE, b""
        while b"there is no board" not in reason:
            assert time.monotonic() < until, f"plain sets are not taken: {reason!r}"
            mark = peer.mark()
            peer.publish("piio/nobody/value/nothing/set", "0", qos=0)
            reason = peer.wait("piio/nobody/value/nothing/result", since=mark)
            peer.wait("piio/bridge/beacon", since=mark)
        self._plain = True
        peer.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def wait_logged(self, text: str) -> None:
        until = time.monotonic() + PATIENCE
        while text not in self.log:
            assert time.monotonic() < until, f"'{text}' was not logged:\n{self.log[-2000:]}"
            time.sleep(0.05)

    @property
    def log(self) -> str:
        return (self.state / "bridge.log").read_text()
