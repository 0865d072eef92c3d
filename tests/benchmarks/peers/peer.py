"""A program of others that does the bridge's job, or a job like it, at a broker of its own."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from piio.connection import Connection, Message
from tests.benchmarks.stand import Stand, stand
from tests.faults.parts import Part

PATIENCE = 40.0
"""Seconds until it answers, at most: Node-RED takes some to start."""

BETWEEN = 0.1
"""Seconds between two tries."""


class Peer(Struct, frozen=True):
    """How one is started, and how it is seen that it works."""

    name: str
    command: Callable[[Stand], Sequence[str]]
    """Writes what it reads at its start into the stand's folder, and returns what to run."""
    ask: tuple[str, str] = ("piio/b0/raw/adc/0", "0")
    """A topic, and what is published there."""
    answer: str = "piio/b0/value/p0"
    """The topic on which it answers that."""


@contextmanager
def peer_at_work(peer: Peer) -> Iterator[tuple[Stand, Part]]:
    """A stand with a peer that answers, and its process."""
    with stand() as made:
        log = made.parts.state / f"{peer.name}.log"
        part = Part(peer.name, peer.command(made), log).start()
        try:
            if not _answers(made, part, peer):
                raise RuntimeError(f"{peer.name} does not answer:\n{log.read_text(errors='replace')[-2000:]}")
            yield made, part
        finally:
            part.kill()


def fetched(name: str, *commands: Sequence[str]) -> Path:
    """Return the folder of a program that is kept for the next time; `{folder}` in the commands that fetch it is it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "piio"
    folder = cache / name
    whole = folder / "fetched"
    if not whole.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in commands:
            words = [word.replace("{folder}", str(folder)) for word in command]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{name} cannot be fetched: {' '.join(words)} said:\n{done.stderr[-2000:]}")
        whole.touch()
    return folder


def _answers(made: Stand, part: Part, peer: Peer) -> bool:
    """Ask until there is an answer; False if none comes."""
    answered = threading.Event()

    def heard(_: Message) -> None:
        answered.set()

    with Connection(made.publisher, heard) as connection:
        connection.subscribe([(peer.answer, 0)])
        for _ in range(int(PATIENCE / BETWEEN)):
            connection.publish(*peer.ask)
            if answered.wait(BETWEEN):
                return True
            if not part.running:
                break
    return False
