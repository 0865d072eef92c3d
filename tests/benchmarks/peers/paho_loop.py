"""What most people write who need a value made of a reading: a callback of paho's that publishes.

`python -m tests.benchmarks.peers.paho_loop URL [nodelay]`: piio/<board>/raw/adc/<n> becomes piio/<board>/value/p<n>, in
percent. It knows neither who is alive, nor a quality, nor a configuration. With `nodelay` it has the one line that
most leave out, without which what is small waits for what comes next.
"""

import socket
import sys
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from piio.address import read_address


def main() -> None:
    """Answer until killed."""
    address = read_address(sys.argv[1])
    client = mqtt.Client(CallbackAPIVersion.VERSION2, transport=address.transport)
    client.username_pw_set(address.user, address.password)
    client.on_connect = lambda *_: client.subscribe("piio/+/raw/adc/+")
    client.on_message = _answer
    if "nodelay" in sys.argv:
        client.on_socket_open = lambda _, __, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect(address.host, address.port)
    client.loop_forever()


def _answer(client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
    prefix, board, _, _, channel = message.topic.split("/")
    value = float(message.payload) / 1023 * 100
    client.publish(f"{prefix}/{board}/value/p{channel}", repr(value), retain=True)


if __name__ == "__main__":
    main()
