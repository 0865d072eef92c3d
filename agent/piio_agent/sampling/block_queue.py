"""Blocks of samples on their way to the broker."""

import threading
from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from piio_agent.channel import ChannelId
from piio_agent.loop import Loop
from piio_schemas.blocks import MOST_LOST, Block

MOST_WAITING = 32
"""Blocks of a channel that may wait for the loop; the newest are kept."""

GATHERING = 0.05
"""Seconds that a block may wait for others."""

SayBlock = Callable[[ChannelId, Block], bool]
"""Publishes a block; False: it went nowhere."""


class BlockQueue:
    """Blocks that any thread puts in and the loop publishes; what gets lost on the way is counted in the next block."""

    def __init__(self, loop: Loop, say: SayBlock) -> None:
        self._loop = loop
        self._say = say
        self._lock = threading.Lock()
        self._waiting: dict[ChannelId, deque[Block]] = {}
        self._lost: dict[ChannelId, int] = {}

    def put(self, id: ChannelId, block: Block) -> None:
        """Publish a block soon; callable from any thread."""
        with self._lock:
            idle = not self._waiting
            waiting = self._waiting.setdefault(id, deque())
            waiting.append(block)
            if len(waiting) > MOST_WAITING:
                oldest = waiting.popleft()
                waiting[0] = _after(waiting[0], _lack(oldest))
        if idle:
            self._loop.post_newest(self, self._wait)

    def forget(self, id: ChannelId) -> None:
        """A channel is used no more: what waits is said now, and nothing of it afterwards."""
        self._send()
        self._lost.pop(id, None)

    def _wait(self) -> None:
        """Where most samples are missed blocks are short and many: once awake the loop takes all of a while."""
        self._loop.after(GATHERING, self._send)

    def _send(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, {}
        for id, blocks in taken.items():
            for block in blocks:
                whole = _after(block, self._lost.get(id, 0))
                self._lost[id] = 0 if self._say(id, whole) else _lack(whole)


def _after(block: Block, lost: int) -> Block:
    """The block, with so many more lost before it."""
    return replace(block, lost=min(block.lost + lost, MOST_LOST)) if lost else block


def _lack(block: Block) -> int:
    """How many samples are missing when this block is lost."""
    return block.lost + len(block.samples)
