"""What has arrived on the control plane's connection and waits to be handled."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sized

from piio.connection import Message

MOST_WAITING = 10_000
"""Messages that may wait; the oldest are dropped and counted."""

MOST_DOCUMENTS = 100_000
"""Documents of boards that may wait likewise: four of each, and what was dropped nobody would say again."""

CROWD = 20
"""Messages that may wait before what acts overtakes what describes; fewer are handled in the order of the stream."""

DOCUMENTS = ("/status", "/capabilities", "/config", "/applied")
"""How the topics of what describes a board end."""


class Inbox:
    """Messages in the order of the stream; in a crowd what acts goes before what describes.

    So a thousand boards that come at once hold no set up. `dropped` is told of each for which there is no room.
    """

    def __init__(self, dropped: Callable[[Message], None]) -> None:
        self.arrived = asyncio.Event()
        """Set when there is something, and by whoever wants to be looked at."""
        self.retained_is_over = False
        """Whether all has come that was retained: until then nothing is overtaken, and more has room."""
        self._dropped = dropped
        self._waiting: deque[Message] = deque()
        self._documents: OrderedDict[str, Message] = OrderedDict()
        """By topic, the newest of what a crowd of boards says."""
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._waiting or self._documents)

    def begin(self) -> None:
        """Begin anew, for another connection."""
        self._waiting.clear()
        self._documents.clear()
        self._count = 0
        self.retained_is_over = False

    def put(self, message: Message) -> None:
        """Take what arrives at once, so that of too much it is the oldest that is dropped."""
        self._count += 1
        crowd = self._documents or len(self._waiting) >= CROWD
        if crowd and self.retained_is_over and message.topic.endswith(DOCUMENTS):
            self._documents[message.topic] = message  # in the place of the one before
            self._bound(self._documents, MOST_DOCUMENTS, lambda: self._documents.popitem(last=False)[1])
        else:
            self._waiting.append(message)
            self._bound(self._waiting, MOST_WAITING if self.retained_is_over else MOST_DOCUMENTS, self._waiting.popleft)
        self.arrived.set()

    def next(self) -> Message:
        """Return what is to be handled next."""
        return self._waiting.popleft() if self._waiting else self._documents.popitem(last=False)[1]

    def take_count(self) -> int:
        """Return how many have arrived since this was asked last."""
        count, self._count = self._count, 0
        return count

    def _bound(self, waiting: Sized, most: int, drop: Callable[[], Message]) -> None:
        if len(waiting) > most:
            self._dropped(drop())
