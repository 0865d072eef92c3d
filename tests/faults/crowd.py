"""A thousand boards played by one process, each with a socket and the packets of MQTT 3.1.1 that an agent sends.

python crowd.py PORT COUNT CAPABILITIES: connects all of them at once, says so, and again for each line it reads.
"""

import asyncio
import json
import struct
import sys
from pathlib import Path

from piio.wire import length


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + length(len(body)) + body


def _publish(topic: str, payload: bytes, retain: bool = True) -> bytes:
    return _packet(0x31 if retain else 0x30, _text(topic) + payload)


def greeting(name: str, boot: int, capabilities: bytes) -> bytes:
    """Everything that an agent says at a connect, its last will first."""
    top = f"piio/{name}"
    connect = _text("MQTT") + b"\x04\x26" + struct.pack("!H", 60) + _text(f"{name}-{boot}")
    connect += _text(f"{top}/status") + _text("offline")
    applied = json.dumps({"store": "", "revision": 0, "boot": f"b{boot}", "points": {}}).encode()
    beacon = json.dumps({"boot": f"b{boot}", "connection": 1, "tick": 1.0, "period": 60}).encode()
    packets = [
        _packet(0x10, connect),
        _publish(f"{top}/capabilities", capabilities.replace(b"@NAME@", name.encode())),
        _publish(f"{top}/config/applied", applied),
        *(_publish(f"{top}/raw/adc/{channel}", b"512") for channel in range(3)),
        _publish(f"{top}/status", b"online"),
        _publish(f"{top}/beacon", beacon, False),
    ]
    return b"".join(packets)


async def _join(port: int, name: str, boot: int, capabilities: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(greeting(name, boot, capabilities))
    await writer.drain()
    return writer


async def _main(port: int, count: int, capabilities: bytes) -> None:
    writers: list[asyncio.StreamWriter] = []
    boot = 0
    while True:
        for writer in writers:
            writer.transport.abort()  # type: ignore[attr-defined]  # no goodbye: the wills are published
        boot += 1
        joining = [_join(port, f"crowd{n}", boot, capabilities) for n in range(count)]
        writers = await asyncio.gather(*joining)
        sys.stdout.write("all are there\n")
        sys.stdout.flush()
        if not await asyncio.to_thread(sys.stdin.readline):
            return


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_bytes()))
