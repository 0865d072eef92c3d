"""A program of others that does the bridge's job, at a broker of its own."""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from piio.connection import Connection, Message
from tests.benchmarks.stand import Stand, stand
from tests.faults.parts import Part

PATIENCE = 40.0
"""Seconds until it answers, at most: Node-RED takes some to start."""

BETWEEN = 0.1
"""Seconds between two tries."""


@contextmanager
def peer_at_work(
    name: str, command: Sequence[str], ask: tuple[str, str], hear: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[Stand, Part]]:
    """A stand with a peer that answers, and its process; `{url}` in its command is the broker's address.

    `ask` is a topic and what it is asked there, `hear` the topic on which it answers.
    """
    with stand() as made:
        words = [word.replace("{url}", made.publisher.url) for word in command]
        log = made.parts.state / f"{name}.log"
        part = Part(name, words, log, environment=environment).start()
        try:
            if not _answers(made, part, ask, hear):
                raise RuntimeError(f"{name} does not answer:\n{log.read_text(errors='replace')[-2000:]}")
            yield made, part
        finally:
            part.kill()


def _answers(made: Stand, part: Part, ask: tuple[str, str], hear: str) -> bool:
    """Ask until there is an answer; False if none comes."""
    answered = threading.Event()

    def heard(message: Message) -> None:
        answered.set()

    with Connection(made.publisher, heard) as connection:
        connection.subscribe([(hear, 0)])
        for _ in range(int(PATIENCE / BETWEEN)):
            connection.publish(*ask)
            if answered.wait(BETWEEN):
                return True
            if not part.running:
                break
    return False


def python(module: str) -> list[str]:
    """Return how a module of ours is run as a program of its own."""
    return [sys.executable, "-m", module, "{url}"]
