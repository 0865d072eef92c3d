"""The load driver: a small program in C, as Python takes more of two cores than what it is to measure."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from piio.address import Address
from tests.benchmarks.layout import Layout

SOURCE = Path(__file__).with_name("load.c")

Kind = Literal["numbers", "blocks", "switches"]

SAMPLES = 1000
"""In each block that it sends."""


class NoCompiler(RuntimeError):
    """Nothing here can compile it; the text says what to type."""


class Answers(Struct, frozen=True):
    """What came back for what was sent; times in µs."""

    sent: int
    answered: int
    lost: int
    wrong: int
    seconds: float
    p50: float
    p90: float
    p99: float
    worst: float
    cpu: float
    """Seconds of a core that the driver itself took."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


class Load:
    """Publishes as one identity and hears as another, at a broker of this machine."""

    def __init__(self, publisher: Address, reader: Address, layout: Layout, kind: Kind = "numbers") -> None:
        self._layout = layout
        self._kind = kind
        self._port = publisher.port
        self._environment = {
            "PUBLISHER": f"{publisher.user}:{publisher.password}", "READER": f"{reader.user}:{reader.password}",
        }  # fmt: skip

    def closed_loop(self, count: int, window: int) -> Answers:
        """Send `count` readings as fast as they are answered, with `window` of them unanswered."""
        return self._drive(count, "window", window)

    def at_rate(self, count: int, rate: int) -> Answers:
        """Send `count` readings one by one, so many a second, whatever is answered."""
        return self._drive(count, "rate", rate)

    def _drive(self, count: int, how: str, number: int) -> Answers:
        layout = self._layout
        words = [self._port, self._kind, layout.boards, layout.points, count, how, number, layout.equations]
        done = subprocess.run(
            [str(program()), *map(str, words)],
            env={**os.environ, **self._environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr.strip() or f"the load driver ended with {done.returncode}")
        answers = msgspec.json.decode(done.stdout, type=Answers)
        if answers.wrong or not answers.answered:
            raise RuntimeError(f"these are no answers to what was sent: {answers}")
        return answers


def program() -> Path:
    """Return the driver, compiled if it is not yet, or was changed since; NoCompiler where that cannot be done."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "piio"
    built = cache / f"load-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}"
    if built.exists():
        return built
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NoCompiler("the load driver is in C, and there is no compiler: type `sudo apt-get install gcc libc6-dev`")
    cache.mkdir(parents=True, exist_ok=True)
    making = built.with_suffix(f".{os.getpid()}")
    subprocess.run([compiler, "-O2", "-o", str(making), str(SOURCE), "-lm"], check=True)
    making.replace(built)
    return built
