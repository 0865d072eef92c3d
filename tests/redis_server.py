"""A real Redis for tests, which keeps nothing: `with RedisServer() as redis` and `redis.url`."""

import subprocess
import time

from tests.ports import free_port, is_open

WITHIN = 10.0
"""Seconds that it may take to start; alone it takes a tenth of one."""

PASSWORD = "between us"


class RedisServer:
    """A server on a port of its own, with a password; it dies with the tests."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/0"
        self.start()

    def __enter__(self) -> "RedisServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = ["--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", PASSWORD]
        kept = ["--save", "", "--appendonly", "no", "--dir", "/tmp"]
        command = ["setpriv", "--pdeathsig", "KILL", "redis-server", *settings, *kept]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + WITHIN
        while not is_open(self.port):
            assert self.process.poll() is None and time.monotonic() < until, "Redis does not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(WITHIN)
