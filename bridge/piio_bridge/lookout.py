"""Listening at the broker without a word: whether a bridge is at work there, and which."""

import threading

from piio.address import Address
from piio.connection import Connection, Message
from piio.keeper import Keeper
from piio_bridge.clock import Clock
from piio_schemas.beacons import BridgeBeacon
from piio_schemas.documents import DocumentError, decode
from piio_schemas.topics import BRIDGE_BEACON, BRIDGE_STATUS


class Lookout:
    """A connection of who does not lead: no last will, nothing is ever published. `with` is its lifetime.

    What it heard belongs to the present connection, but for the newest beacon, which stays known.
    """

    def __init__(self, address: Address, prefix: str, clock: Clock) -> None:
        self.listening_since: float | None = None
        """Boottime since which a beacon would be heard; None: there is no connection."""
        self.status: str | None = None
        """What the broker says of the bridge; None: nothing (yet)."""
        self.beacon: BridgeBeacon | None = None
        self.heard_at = 0.0
        """Boottime of the newest beacon."""
        self._prefix = prefix
        self._clock = clock
        self._keeper = Keeper(lambda: Connection(address, self._hear, self._lost), self._listen)

    def __enter__(self) -> "Lookout":
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Not waited for: a broker that stands still would hold up who leads by now.
        threading.Thread(target=self._keeper.stop, name="piio lookout", daemon=True).start()

    def _listen(self, connection: Connection) -> None:
        self.status = None
        connection.subscribe([(BRIDGE_STATUS.at(self._prefix), 1), (BRIDGE_BEACON.at(self._prefix), 0)])
        self.listening_since = self._clock.boottime()

    def _lost(self, _: str) -> None:
        self.listening_since = None

    def _hear(self, message: Message) -> None:
        if message.topic == BRIDGE_STATUS.at(self._prefix):
            self.status = message.payload.decode("ascii", "replace")
        elif not message.retained:
            try:
                self.beacon = decode(message.payload, BridgeBeacon)
            except DocumentError:
                return  # whoever sends nonsense is no bridge
            self.heard_at = self._clock.boottime()
