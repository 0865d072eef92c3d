"""What most people write whose lines change: a loop that publishes with paho, 64 numbers at a time.

`python -m tests.benchmarks.peers.paho_publisher PORT RATE`: retained, below piio/plain/raw/, so many a second. It reads
no hardware, keeps nothing for an outage, and counts nothing.
"""

import socket
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

LINES = 64


def main(port: int, rate: float) -> None:
    """Publish until killed."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_socket_open = lambda _, __, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    due, level = time.monotonic(), 0
    while True:
        due += LINES / rate
        time.sleep(max(0.0, due - time.monotonic()))
        level = 1 - level
        for line in range(LINES):
            client.publish(f"piio/plain/raw/lines/{line}", str(level), retain=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
