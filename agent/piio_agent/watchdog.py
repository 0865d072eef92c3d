"""Signs of life for systemd, where the agent is a unit with `Type=notify` and `WatchdogSec`."""

import logging
import os
import socket

log = logging.getLogger(__name__)


class Watchdog:
    """Tells systemd that the agent has begun and that its loop still turns; elsewhere it does nothing.

    The datagrams are those of sd_notify(3).
    """

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address

    @property
    def period(self) -> float | None:
        """Seconds between two signs, half of what systemd allows; None: it does not watch."""
        allowed = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
        return allowed / 2 if self._address and allowed else None

    def ready(self) -> None:
        """The agent has begun."""
        self._say(b"READY=1")

    def alive(self) -> None:
        """Its loop turns."""
        self._say(b"WATCHDOG=1")

    def _say(self, what: bytes) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            try:
                connection.sendto(what, self._address)
            except OSError as error:
                log.warning("systemd does not hear us at %s: %s", self._address, error)
