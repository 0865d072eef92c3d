"""A way to the broker on which what the bridge's data plane says can be held up, and nothing else is."""

import socket
import threading

from tests.bridge.peers import Broker
from tests.ports import free_port

CONNECT_OF_THE_DATA_PLANE = b"\x00\x04MQTT\x04"
"""MQTT 3.1.1: everybody else speaks version 5."""


class Detour:
    """Stands for a broker, and passes everything on; `open` is cleared while the data plane is to be held up."""

    def __init__(self, broker: Broker) -> None:
        self.port = free_port()
        self.open = threading.Event()
        self.open.set()
        self._broker = broker
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._let_in, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        self.open.set()
        self._door.close()

    def _let_in(self) -> None:
        while True:
            try:
                guest, _ = self._door.accept()
                host = socket.create_connection(("127.0.0.1", self._broker.port))
            except OSError:
                return
            for side in (guest, host):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._carry, args=(guest, host), daemon=True).start()
            threading.Thread(target=self._carry, args=(host, guest), daemon=True).start()

    def _carry(self, source: socket.socket, to: socket.socket) -> None:
        held_up = False
        try:
            while piece := source.recv(65_536):
                if held_up:
                    self.open.wait()
                to.sendall(piece)
                held_up |= CONNECT_OF_THE_DATA_PLANE in piece
        except OSError:
            pass
        for side in (source, to):
            side.close()
