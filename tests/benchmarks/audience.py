"""Browsers in one light process: each a web socket that looks at a board and takes its frames, or stops taking them."""

import json
import os
import selectors
import socket
import time
import zlib
from urllib.parse import urlsplit

WAY = "/socket.io/?EIO=4&transport=websocket"

PATIENCE = 10.0


class Browser:
    """One page's socket, which looks at a board as soon as it is let in."""

    def __init__(self, url: str, cookie: str, agent: str) -> None:
        self.frames = 0
        self._agent = agent
        self._heard = b""
        self._unpack = zlib.decompressobj(-15)
        address = urlsplit(url)
        self.socket = socket.create_connection((address.hostname or "", address.port or 80), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = {
            "Host": address.netloc, "Origin": url, "Cookie": cookie, "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "c29tZSBrZXkgb2Ygb3Vycw==",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",  # as Chromium has it
        }  # fmt: skip
        lines = [f"GET {WAY} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        while b"\r\n\r\n" not in self._heard:
            self._heard += self.socket.recv(4096)
        answer, _, self._heard = self._heard.partition(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101"), answer
        self._say("40")

    def hear(self) -> None:
        """Take what has come."""
        self._heard += self.socket.recv(1 << 20)
        while (packet := self._packet()) is not None:
            self._take(packet)

    def _packet(self) -> bytes | None:
        """The content of the next web socket frame, if all of it is there (RFC 6455, 5.2; servers do not mask)."""
        if len(self._heard) < 2:
            return None
        packed, size, begin = self._heard[0] & 0x40, self._heard[1], 2
        if size >= 126:
            begin = 4 if size == 126 else 10
            size = int.from_bytes(self._heard[2:begin], "big")
        if len(self._heard) < begin + size:
            return None
        packet, self._heard = self._heard[begin : begin + size], self._heard[begin + size :]
        return self._unpack.decompress(packet + b"\0\0\xff\xff") if packed else packet

    def _take(self, packet: bytes) -> None:
        if packet == b"2":
            self._say("3")
        elif packet.startswith(b"40"):
            self._say("42" + json.dumps(["look", {"agent": self._agent}]))
        elif packet.startswith(b"42"):
            self.frames += 1
            if id := packet[2 : packet.index(b"[")].decode():
                self._say(f"43{id}[]")

    def _say(self, text: str) -> None:
        mask, data = os.urandom(4), text.encode()
        assert len(data) < 126
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        self.socket.sendall(bytes([0x81, 0x80 | len(data)]) + mask + masked)


class Audience:
    """The browsers, heard by whoever calls `hear`."""

    def __init__(self) -> None:
        self.browsers: list[Browser] = []
        self._selector = selectors.DefaultSelector()

    @property
    def frames(self) -> int:
        """How many all of them took together."""
        return sum(browser.frames for browser in self.browsers)

    def join(self, browser: Browser) -> None:
        """Listen to one more."""
        self.browsers.append(browser)
        self._selector.register(browser.socket, selectors.EVENT_READ, browser)

    def hear(self, seconds: float) -> None:
        """Let each take what comes within some seconds; who stopped reading takes nothing."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                key.data.hear()

    def stop_reading(self, browser: Browser) -> None:
        """From now on one of them leaves everything where it is."""
        self._selector.unregister(browser.socket)

    def close(self) -> None:
        """Close them all."""
        self._selector.close()
        for browser in self.browsers:
            browser.socket.close()
