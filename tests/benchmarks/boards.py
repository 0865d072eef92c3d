"""Boards that are played, so that the bridge takes them for alive: one light connection says all that agents say.

Their readings are not among it: those come from the load driver.
"""

import json
import threading
import time
from typing import Any

import msgspec

from piio.address import Address
from piio.connection import Connection, Message
from piio_schemas.beacons import PERIOD_WITHOUT_OUTPUTS
from piio_schemas.topics import APPLIED, BEACON, BRIDGE_STATUS, CAPABILITIES, CONFIG, QUALITY, RAW, STATUS, match
from tests.benchmarks.layout import Layout

PATIENCE = 60.0
"""Seconds until everything is good, at most."""

AT_A_TIME = 1000
"""Messages published before those of before are waited for: who plays has a queue of ten thousand."""


class Boards:
    """All boards of a layout, from their announcement to the end; `with` is their lifetime.

    The identity must be one that may write for every board: a bridge's.
    """

    def __init__(self, address: Address, layout: Layout) -> None:
        self._layout = layout
        self._names = set(layout.names())
        self._over = threading.Event()
        self._news = threading.Condition()
        self._configured: set[str] = set()
        self._good: set[str] = set()
        self._online = False
        self._connection = Connection(address, self._hear)
        self._beats = threading.Thread(target=self._beat, name="beacons of played boards", daemon=True)

    def __enter__(self) -> "Boards":
        self._connection.open()
        self._connection.subscribe([(CONFIG.every(), 1), (QUALITY.every(), 0), (BRIDGE_STATUS.at(), 1)])
        names = self._layout.names()
        self._say_all([(CAPABILITIES.at(agent=name), self._layout.capabilities(name)) for name in names])
        raws = {"interface": "adc"}
        self._say_all(
            [
                (RAW.at(agent=name, channel=str(channel), **raws), 0)
                for name in names
                for channel in range(self._layout.points)
            ]
        )
        self._say_all([(STATUS.at(agent=name), "online") for name in names])
        self._beats.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._connection.close()
        self._beats.join()

    def wait_known(self) -> None:
        """Wait until the bridge is online and has given each board a configuration, be it an empty one."""
        wanted = self._layout.boards
        self._wait(lambda: self._online and len(self._configured) == wanted, "a bridge that knows all boards")

    def wait_good(self) -> None:
        """Wait until every point is good."""
        self._wait(lambda: len(self._good) == self._layout.boards * self._layout.points, "all points good")

    def _wait(self, condition: Any, what: str) -> None:
        with self._news:
            if not self._news.wait_for(condition, PATIENCE):
                raise AssertionError(
                    f"within {PATIENCE:g} s there was not: {what}; but "
                    f"{len(self._configured)} configurations, {len(self._good)} good points"
                )

    def _say_all(self, messages: list[tuple[str, Any]]) -> None:
        for begin in range(0, len(messages), AT_A_TIME):
            last = None
            for topic, document in messages[begin : begin + AT_A_TIME]:
                text = document if isinstance(document, str) else json.dumps(document)
                last = self._connection.publish(topic, text, 1, retain=True)
            assert last is not None, "too much waits for the broker"
            last.wait_for_publish(PATIENCE)

    def _beat(self) -> None:
        """Say that all boards live; over the period, not all at once."""
        names = self._layout.names()
        pause = PERIOD_WITHOUT_OUTPUTS / 10
        share = -(-len(names) // 10)
        for name in names:
            self._beacon(name)
        while True:
            for begin in range(0, len(names), share):
                if self._over.wait(pause):
                    return
                for name in names[begin : begin + share]:
                    self._beacon(name)

    def _beacon(self, name: str) -> None:
        beacon = {"boot": "bench", "connection": 1, "tick": time.monotonic(), "period": PERIOD_WITHOUT_OUTPUTS}
        if self._connection.connected:
            self._connection.publish(BEACON.at(agent=name), json.dumps(beacon))

    def _hear(self, message: Message) -> None:
        found = match(message.topic)
        if found is None or not message.payload:
            return
        if found.topic is BRIDGE_STATUS:
            with self._news:
                self._online = message.payload == b"online"
                self._news.notify_all()
        elif found.topic is QUALITY:
            with self._news:
                (self._good.add if message.payload == b"good" else self._good.discard)(message.topic)
                self._news.notify_all()
        elif found.topic is CONFIG and found.levels["agent"] in self._names:
            # Of no other: an agent that hears another one speak under its name may leave.
            self._apply(found.levels["agent"], message.payload)

    def _apply(self, name: str, payload: bytes) -> None:
        """Say that a configuration is in force, and that the board lives: the bridge is there now to hear it."""
        document = msgspec.json.decode(payload)
        points = {point: {"ok": True} for point in document["points"]}
        envelope = {key: document[key] for key in ("store", "revision", "epoch")}
        applied = {**envelope, "boot": "bench", "points": points}
        self._connection.publish(APPLIED.at(agent=name), json.dumps(applied), 1, retain=True)
        self._beacon(name)
        with self._news:
            self._configured.add(name)
            self._news.notify_all()
