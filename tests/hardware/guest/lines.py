"""Inside the guest: lines taken through a driver, and held by a program that is not ours."""

from __future__ import annotations

import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from piio_agent.interfaces import Edge, Interface
from piio_agent.interfaces.door import settings_of

DEADLINE = 5.0

HOLD = """
import gpiod, sys
settings = gpiod.LineSettings(direction=gpiod.line.Direction.INPUT)
with gpiod.request_lines(sys.argv[1], consumer="pump-daemon", config={int(sys.argv[2]): settings}):
    print("held", flush=True)
    sys.stdin.read()
"""


def take(gpio: Interface, channel: str, direction: Any = "input", first: float | None = None, **settings: Any) -> None:
    """Open a channel with a point's settings."""
    gpio.open(channel, direction, settings_of(gpio, settings), first)


def watched(gpio: Interface, channel: str) -> queue.SimpleQueue[Edge]:
    """The edges of an open input from now on."""
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    gpio.watch(channel, edges.put)
    return edges


@contextmanager
def held_by_a_pump_daemon(chip: Any, line: int) -> Iterator[None]:
    """Another program holds a line for a while."""
    command = [sys.executable, "-c", HOLD, f"/dev/{chip.name}", str(line)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate()


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
