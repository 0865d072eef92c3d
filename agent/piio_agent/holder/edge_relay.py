"""Edges that the holder has seen, on their way to those who watch."""

import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from piio_agent.channel import ChannelId
from piio_agent.interfaces.contract import Edge, OnEdge

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Edges that may wait for slow watchers; the oldest go, and count as lost."""


class EdgeRelay:
    """Calls watchers on a thread of its own: one may call the holder, whose answers come on the link's."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._waiting: deque[tuple[ChannelId, Edge]] = deque(maxlen=MOST_WAITING)
        self._watchers: dict[ChannelId, OnEdge] = {}
        self._seen: dict[ChannelId, int] = {}
        self._over = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="edges of the holder", daemon=True).start()

    def stop(self) -> None:
        """End."""
        with self._wake:
            self._over = True
            self._wake.notify()

    def watch(self, channel: ChannelId, on_edge: OnEdge | None) -> None:
        """Hand the edges of a channel to this watcher from now on, or to nobody."""
        self._seen.pop(channel, None)
        if on_edge:
            self._watchers[channel] = on_edge
        else:
            self._watchers.pop(channel, None)

    def put(self, edges: Iterable[tuple[ChannelId, Edge]]) -> None:
        """Hand edges over soon."""
        with self._wake:
            self._waiting.extend(edges)
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._over:
                    self._wake.wait()
                if self._over:
                    return
                edges = list(self._waiting)
                self._waiting.clear()
            for channel, edge in edges:
                self._deliver(channel, edge)

    def _deliver(self, channel: ChannelId, edge: Edge) -> None:
        on_edge = self._watchers.get(channel)
        if on_edge is None:
            return
        # What was dropped on the way from the driver is lost, too.
        lost = max(edge.lost, edge.seq - self._seen.get(channel, edge.seq - edge.lost - 1) - 1)
        self._seen[channel] = edge.seq
        try:
            on_edge(edge if lost == edge.lost else replace(edge, lost=lost))
        except Exception:
            log.exception("an edge of %s was not handled", channel)
