"""Somebody at an installation's broker who sees everything and may do everything, and reads the board's own trace."""

import json
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from piio.address import read_address
from piio.connection import Connection, Message
from piio.errors import NotConnected, PiioError

PATIENCE = 15.0

WITHIN = 10.0
"""Seconds in which all is right again after the last fault."""

Wanted = Callable[[dict[str, bytes]], bool]


class Witness:
    """An admin's connection, made anew whenever the broker dies; `seen` is the newest payload of every topic."""

    FILTERS = (
        "piio/+/status", "piio/+/config", "piio/+/config/applied", "piio/+/value/+", "piio/+/quality/+",
        "piio/+/raw/+/+/result", "piio/+/event/+", "piio/bridge/beacon", "piio/webapp/+/status",
        "piio/+/capabilities", "piio/+/raw/+/+",
    )  # fmt: skip

    RESULTS = ("piio/+/value/+/result",)
    """Heard on a connection that stays when the other one is made anew: they are told once."""

    def __init__(self, state: Path, boards: Path | None = None) -> None:
        """`boards` is the state folder of the agents, where that is another one."""
        env = dict(line.split("=", 1) for line in (state / "env").read_text().splitlines())
        self._address = read_address(env["PIIO_ADMIN_URL"])
        self._boards = boards or state
        self._changed = threading.Condition()
        self.seen: dict[str, bytes] = {}
        self.results: list[Any] = []
        self.told: dict[str, list[tuple[float, Any]]] = {}
        """By point of `demo`: the results that were heard, with their monotonic time."""
        self.doubts: list[tuple[str, bytes]] = []
        """What was said to be stale, bad or offline."""
        self._ear = self._connect(self.RESULTS)
        self._connection = self._connect(self.FILTERS)

    def _connect(self, filters: tuple[str, ...]) -> Connection:
        connection = Connection(self._address, self._hear)
        connection.open()
        connection.subscribe([(filter, 0) for filter in filters])
        return connection

    def _hear(self, message: Message) -> None:
        with self._changed:
            self.seen[message.topic] = message.payload
            if message.payload == b"offline" or (
                "/quality/" in message.topic and message.payload not in (b"", b"good")
            ):
                self.doubts.append((message.topic, message.payload))
            if message.topic.count("/") == 4 and message.topic.endswith("/result"):
                result = json.loads(message.payload)
                self.results.append(result)
                self.told.setdefault(message.topic.split("/")[3], []).append((time.monotonic(), result))
            self._changed.notify_all()

    def wait(self, wanted: Wanted, timeout: float = PATIENCE) -> float:
        """Wait until what is seen is wanted, through the deaths of the broker; returns the seconds it took."""
        begun = time.monotonic()
        while time.monotonic() - begun < timeout:
            with self._changed:
                if self._changed.wait_for(lambda: wanted(self.seen), 0.1):
                    return time.monotonic() - begun
            if not (self._connection.connected and self._ear.connected):
                self.reconnect()
        raise AssertionError(f"not seen within {timeout:g} s; the last: {self.seen}")

    def wait_until_right(self, right: Wanted | None = None, within: float = WITHIN) -> float:
        """Wait until all is right as far as a newcomer sees it, and a set acts; returns the seconds it took."""
        begun = time.monotonic()
        self.reconnect()
        while True:
            self.wait(right or all_is_right, max(begun + within - time.monotonic(), 0.0))
            outcome = self._try_set("lamp", "toggle")
            if outcome == "done":
                return time.monotonic() - begun
            assert time.monotonic() < begun + within, f"after {within:g} s a set is still {outcome}"

    def _try_set(self, point: str, value: Any) -> str:
        """Return what became of a set; a link that was cut may still swallow one before everybody knows."""
        before = len(self.told.get(point, []))
        try:
            self._send_set(point, value)
            self.wait(lambda _: len(self.told.get(point, [])) > before, 3.0)
        except (AssertionError, NotConnected) as error:
            return f"without an answer ({type(error).__name__})"
        return str(self.told[point][before][1]["status"])

    def reconnect(self) -> None:
        """Connect anew, with nothing seen yet."""
        self._connection.close()
        self.seen.clear()
        try:
            if not self._ear.connected:
                self._ear.close()
                self._ear = self._connect(self.RESULTS)
            self._connection = self._connect(self.FILTERS)
        except PiioError:
            time.sleep(0.05)

    def publish(self, topic: str, payload: Any, retain: bool = False) -> None:
        data = payload if isinstance(payload, str) else json.dumps(payload)
        self._connection.publish(topic, data, 0, retain)

    def outcome(self, topic: str, payload: Any, timeout: float = PATIENCE) -> Any:
        """Send a set and return what became of it."""
        before = len(self.results)
        self.publish(f"{topic}/set", payload)
        self.wait(lambda _: len(self.results) > before, timeout)
        return self.results[before]

    def wait_for_plain_sets(self) -> None:
        """Wait until the bridge takes plain sets: for its first two seconds it takes echoed ones only."""
        until = time.monotonic() + PATIENCE
        while "has no point" not in (reason := self.outcome("piio/demo/value/nothing", "0")["reason"]):
            assert time.monotonic() < until, f"plain sets are not taken: {reason}"
            beacon = self.newest_beacon()
            self.wait(lambda _: self.newest_beacon() != beacon)  # noqa: B023

    def set(self, point: str, value: Any) -> Any:
        """Ask a point of `demo` for a value as our own tools do, with the echo of the newest beacon."""
        before = len(self.results)
        self._send_set(point, value)
        self.wait(lambda _: len(self.results) > before)
        return self.results[before]

    def act(self, point: str, value: Any) -> None:
        """Set a point of `demo`, which has to be done."""
        result = self.set(point, value)
        assert result["status"] == "done", result

    def _send_set(self, point: str, value: Any) -> None:
        self.wait(lambda seen: "piio/bridge/beacon" in seen)
        document = {"value": value, "id": secrets.token_hex(8), "beacon": self.newest_beacon()}
        self.publish(f"piio/demo/value/{point}/set", document)

    def newest_beacon(self) -> dict[str, Any]:
        """Return what a set has to echo."""
        beacon = json.loads(self.seen["piio/bridge/beacon"])
        return {key: beacon[key] for key in ("boot", "connection", "tick")}

    def newest_boot(self) -> str:
        """Return which start of the agent `demo` says what it is and has."""
        return str(json.loads(self.seen["piio/demo/capabilities"])["boot"])

    def switch_all_off(self) -> None:
        """Have every line of `demo` off that is on."""
        prefix = "piio/demo/raw/gpio/"
        on = [topic for topic, raw in self.seen.items() if topic.startswith(prefix) and raw == b"1"]
        points = json.loads(self.seen["piio/demo/config"])["points"]
        for name, point in points.items():
            if f"{prefix}{point['channel']}" in on and point["direction"] == "output":
                self.act(name, 0)

    def trace(self, channel: str, agent: str = "demo") -> list[Any]:
        """Return what the simulated board recorded of one line, oldest first."""
        return [entry for entry in self.traced(agent) if entry["channel"] == channel]

    def moves(self, agent: str = "demo") -> dict[str, list[Any]]:
        """Return by line what outputs of the board made of it, oldest first."""
        found: dict[str, list[Any]] = {}
        for entry in self.traced(agent):
            if entry.get("by") == "output" and "event" not in entry:
                found.setdefault(entry["channel"], []).append(entry)
        return found

    def traced(self, agent: str = "demo") -> list[Any]:
        """Return what was recorded of the lines; the last one may be half written when the board was killed."""
        file = self._boards / "agents" / agent / "trace.jsonl"
        whole = (line for line in file.read_text().splitlines(keepends=True) if line.endswith("}\n"))
        return [entry for entry in map(json.loads, whole) if entry["interface"] == "gpio"]

    def close(self) -> None:
        self._connection.close()
        self._ear.close()


def all_is_right(seen: dict[str, bytes]) -> bool:
    """Whether the bridge, the board and the web app are there and every point of `demo` is good."""
    webapps = [payload for topic, payload in seen.items() if topic.startswith("piio/webapp/")]
    return board_is_right(seen) and b"online" in webapps


def board_is_right(seen: dict[str, bytes]) -> bool:
    """Whether the bridge and the board are there and every point of `demo` is good."""
    qualities = [payload for topic, payload in seen.items() if topic.startswith("piio/demo/quality/") and payload]
    return (
        seen.get("piio/demo/status") == b"online"
        and seen.get("piio/bridge/status") == b"online"
        and "piio/bridge/beacon" in seen
        and len(qualities) >= 3
        and set(qualities) == {b"good"}
    )
