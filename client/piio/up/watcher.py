"""What the broker tells of the services: who has shown a sign of life, and whether a board has no configuration yet."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct, field

from piio.address import Address
from piio.connection import Connection, Message
from piio.keeper import Keeper
from piio_schemas.beacons import BridgeBeacon
from piio_schemas.documents import DocumentError, decode
from piio_schemas.states import OFFLINE
from piio_schemas.topics import BEACON, BRIDGE_BEACON, BRIDGE_STATUS, CONFIG, STATUS

Sign = Literal["bridge", "plain sets", "agent", "unconfigured", "configured"]
"""A live bridge, one that takes plain sets, a live agent, one whose configuration is revision 0, or a later one."""

CAREFUL = 2.0
"""Seconds for which a bridge that has connected takes echoed sets only."""


class OutlinePoint(Struct, frozen=True):
    """Of a point, whether it can be set."""

    direction: str = "input"


class Outline(Struct, frozen=True):
    """Of a configuration, what a greeting needs."""

    revision: int = 0
    points: dict[str, OutlinePoint] = field(default_factory=dict)


class Watcher:
    """A connection as an admin that hears signs of life; `on_sign` is called from its thread."""

    def __init__(self, address: Address, agent: str, on_sign: Callable[[Sign], None]) -> None:
        self._on_sign = on_sign
        self._bridge = {BRIDGE_STATUS.at(), BRIDGE_BEACON.at()}
        self._agent = {STATUS.at(agent=agent), BEACON.at(agent=agent)}
        self._configuration = CONFIG.at(agent=agent)
        self._keeper = Keeper(lambda: Connection(address, self._heard), self._subscribe)
        self._first: BridgeBeacon | None = None
        self.output: str | None = None
        """The first output point of the agent, if there is one."""

    def start(self) -> None:
        """Begin to listen, as soon as there is a broker."""
        self._keeper.start()

    def stop(self) -> None:
        """Leave; stopping twice is fine."""
        self._keeper.stop()

    def _subscribe(self, connection: Connection) -> None:
        connection.subscribe((topic, 1) for topic in sorted(self._bridge | self._agent | {self._configuration}))

    def _heard(self, message: Message) -> None:
        if message.topic == self._configuration:
            self._read_configuration(message.payload)
        elif message.retained or message.payload == OFFLINE.encode():
            return  # the broker remembers what a service said that may be dead by now
        else:
            self._on_sign("bridge" if message.topic in self._bridge else "agent")
        if message.topic == BRIDGE_BEACON.at():
            self._hear_beacon(message.payload)

    def _hear_beacon(self, payload: bytes) -> None:
        try:
            beacon = decode(payload, BridgeBeacon)
        except DocumentError:
            return
        first = self._first
        if first is None or (first.boot, first.connection) != (beacon.boot, beacon.connection):
            self._first = beacon
        elif beacon.tick - first.tick >= CAREFUL:
            self._on_sign("plain sets")

    def _read_configuration(self, payload: bytes) -> None:
        try:
            document = decode(payload, Outline)
        except DocumentError:
            return  # none, or not one: the bridge will say another
        outputs = (name for name, point in document.points.items() if point.direction == "output")
        self.output = next(outputs, None)
        self._on_sign("configured" if document.revision else "unconfigured")
