"""A paho client that also reaches a broker by its socket file, and never waits there."""

import socket

import paho.mqtt.client as mqtt


class LocalClient(mqtt.Client):
    """The client; OSError at once where too many wait already at the socket file, as of a broker that stands still."""

    def _create_unix_socket_connection(self) -> socket.socket:
        # paho's own would wait without an end, and with it whoever connects.
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(self.connect_timeout)
            made.connect(self.host)
        except OSError:
            made.close()
            raise
        return made
