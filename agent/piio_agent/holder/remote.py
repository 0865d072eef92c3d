"""An interface that lives in the holder, as the agent's inputs see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from piio_agent.channel import ChannelId
from piio_agent.holder.calls import Calls, value_of
from piio_agent.holder.edge_relay import EdgeRelay
from piio_agent.holder.messages import Return
from piio_agent.interfaces.contract import Channel, Direction, Interface, OnEdge
from piio_agent.interfaces.errors import InterfaceError, NotSupported

SIMULATED = 1.0
"""Seconds that a word from the outside world may take."""


class Remote(Interface):
    """Inputs of an interface in another process; its outputs are ordered by messages, not by calls."""

    def __init__(self, id: str, local: Interface, calls: Calls, edges: EdgeRelay) -> None:
        super().__init__(local.options, local.context)
        self._id = id
        self._local = local
        self._calls = calls
        self._edges = edges
        self._ahead: dict[str, Return] = {}

    def channels(self) -> Mapping[str, Channel]:
        """Those of the interface."""
        return msgspec.convert(self._calls.call(self._id, "channels"), dict[str, Channel])

    def settings_for(self, channel: str) -> type[Any]:
        """Those of its driver."""
        return self._local.settings_for(channel)

    def fastest(self) -> float | None:
        """That of the interface."""
        found: float | None = self._calls.call(self._id, "fastest")
        return found

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:  # noqa: ARG002
        """Take an input."""
        if direction != "input":
            raise NotSupported(f"channel {channel}: outputs are opened by the outputs' own process")
        self._ahead.pop(channel, None)
        self._calls.call(self._id, "open", channel, asdict(settings))

    def read(self, channel: str) -> float:
        """Its raw now."""
        ahead = self._ahead.pop(channel, None)
        return float(value_of(ahead) if ahead else self._calls.call(self._id, "read", channel))

    def read_ahead(self, channels: Sequence[str]) -> None:
        """As many as are quickly read, by one call."""
        try:
            found = msgspec.convert(self._calls.call(self._id, "read_ahead", list(channels)), list[Return])
        except InterfaceError:
            found = []
        self._ahead = dict(zip(channels, found, strict=False))

    def sample(self, channels: Sequence[str]) -> Sequence[float]:
        """All in one call."""
        found: list[float] = self._calls.call(self._id, "sample", list(channels))
        return found

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Its edges, as they are heard here."""
        self._edges.watch(ChannelId(self._id, channel), on_edge)
        self._calls.call(self._id, "watch", channel)

    def simulate(self, channel: str, raw: float | None) -> None:
        """Be the outside world there; a driver of real hardware refuses at once, whether or not it hangs."""
        if type(self._local).simulate is Interface.simulate:
            self._local.simulate(channel, raw)
        self._calls.call(self._id, "simulate", channel, raw, timeout=SIMULATED)

    def close(self, channel: str) -> None:
        """Let go of an input."""
        self._edges.watch(ChannelId(self._id, channel), None)
        self._calls.call(self._id, "close", channel)


def remote(id: str, local: Interface, calls: Calls, edges: EdgeRelay) -> Remote:
    """The interface's stand-in, with the face of its driver: name, title, options and settings."""
    driver = type(local)
    face = {"name": driver.name, "title": driver.title, "Options": driver.Options, "Settings": driver.Settings}
    stand_in: Callable[..., Remote] = type(f"Remote{driver.__name__}", (Remote,), face)
    return stand_in(id, local, calls, edges)
