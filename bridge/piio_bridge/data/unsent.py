"""What a slow broker has not taken yet: of each topic the newest."""

from collections.abc import Iterable, Iterator

from piio_bridge.data.packets import Outgoing

MOST_UNSENT = 200_000
"""Topics of which something may wait."""


class Unsent:
    """Keeps the newest payload per topic until there is room for it; `dropped` counts what was never sent."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[bytes, bool], bytes] = {}
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, messages: Iterable[Outgoing], retained: bool) -> None:
        """Keep messages; what they replace, or the oldest where there are too many, is dropped."""
        waiting = self._waiting
        for topic, payload in messages:
            key = (topic, retained)
            if waiting.pop(key, None) is not None:
                self.dropped += 1
            waiting[key] = payload
        while len(waiting) > MOST_UNSENT:
            del waiting[next(iter(waiting))]
            self.dropped += 1

    def take(self) -> Iterator[tuple[list[Outgoing], bool]]:
        """Return all that waits, in the order in which it became so, and whether the broker is to keep it."""
        waiting, self._waiting = self._waiting, {}
        for retained in (True, False):
            yield [(topic, payload) for (topic, kept), payload in waiting.items() if kept == retained], retained
