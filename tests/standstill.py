"""Processes that stand still for a while, as on a board that is out of memory or a machine that sleeps."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 5.0

STANDING = frozenset("TZX")
"""Of a thread: stopped, or ended."""


@contextmanager
def stopped(*processes: int) -> Iterator[None]:
    """Let processes stand still; a negative number is a whole group's.

    They do when this begins: a thread that something wakes before it has seen the signal would still handle it.
    """
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        for process in processes:
            _wait_still(process)
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def _wait_still(process: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(_state(thread) in STANDING for member in _members(process) for thread in _threads(member)):
        assert time.monotonic() < deadline, f"process {process} does not stand still"
        time.sleep(0.001)


def _members(process: int) -> list[int]:
    if process > 0:
        return [process]
    everybody = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
    return [each for each in everybody if _status(Path(f"/proc/{each}"))[2:3] == [str(-process)]]


def _threads(process: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{process}/task").iterdir())
    except FileNotFoundError:
        return []


def _state(thread: Path) -> str:
    return "".join(_status(thread)[:1]) or "X"


def _status(thread: Path) -> list[str]:
    """What the kernel says behind the name: state, parent, group, …; nothing of what has ended meanwhile."""
    try:
        return (thread / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
