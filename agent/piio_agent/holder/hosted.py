"""Interfaces that only the holder may touch, as its agent calls them: a thread for each, so that none waits."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from piio_agent.channel import ChannelId
from piio_agent.holder.messages import Call, EdgesSeen, Return
from piio_agent.interfaces.contract import Edge, Interface
from piio_agent.interfaces.door import settings_of
from piio_agent.interfaces.errors import NoReading, NotSupported
from piio_agent.reasons import reason

log = logging.getLogger(__name__)

LITTLE = 0.005
"""Seconds that readings together may take until they are told."""

Tell = Callable[[msgspec.Struct], None]


class Hosted:
    """One interface: carries out the agent's calls in their order, and lets go of its inputs when the agent is gone."""

    def __init__(self, name: str, interface: Interface, tell: Tell) -> None:
        self._name = name
        self._interface = interface
        self._tell = tell
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._inputs: set[str] = set()
        threading.Thread(target=self._run, name=f"calls of {name}", daemon=True).start()

    def call(self, call: Call) -> None:
        """Carry out a call soon; what comes of it is told."""
        self._calls.put(call)

    def let_go(self) -> None:
        """Close the inputs that the agent had, after what it called."""
        self._calls.put(None)

    def _run(self) -> None:
        while True:
            call = self._calls.get()
            if call is None:
                self._close_inputs()
            else:
                self._tell(self._answer(call))

    def _answer(self, call: Call) -> Return:
        try:
            return Return(call.id, getattr(self, f"_{call.method}")(*call.arguments))
        except NotSupported as error:
            return Return(call.id, error=reason(error), kind="unsupported")
        except NoReading as error:
            return Return(call.id, error=reason(error), kind="nothing")
        except Exception as error:
            return Return(call.id, error=reason(error))

    def _channels(self) -> Any:
        return dict(self._interface.channels())

    def _fastest(self) -> float | None:
        fastest = self._interface.fastest()
        return None if fastest is None else float(fastest)

    def _open(self, channel: str, settings: Mapping[str, Any]) -> None:
        self._interface.open(channel, "input", settings_of(self._interface, settings, channel))
        self._inputs.add(channel)

    def _read(self, channel: str) -> float:
        return float(self._interface.read(channel))

    def _read_ahead(self, channels: list[str]) -> list[Return]:
        """What `read` gives for each, as far as that takes no time: what is slow is not to hold up the others."""
        until = time.monotonic() + LITTLE
        found: list[Return] = []
        for channel in channels:
            if time.monotonic() >= until:
                break
            found.append(self._answer(Call(0, self._name, "read", [channel])))
        return found

    def _sample(self, channels: list[str]) -> list[float]:
        return [float(raw) for raw in self._interface.sample(channels)]

    def _watch(self, channel: str) -> None:
        id = ChannelId(self._name, channel)

        def on_edge(edge: Edge) -> None:
            # A driver's numbers may be of any kind; over the wire go ours.
            plain = Edge(edge.edge, int(edge.t_ns), int(edge.mono_ns), int(edge.seq), int(edge.lost))
            self._tell(EdgesSeen([(id, plain)]))

        self._interface.watch(channel, on_edge)

    def _close(self, channel: str) -> None:
        self._inputs.discard(channel)
        self._interface.close(channel)

    def _simulate(self, channel: str, raw: float | None) -> None:
        self._interface.simulate(channel, raw)

    def _close_inputs(self) -> None:
        for channel in list(self._inputs):
            try:
                self._close(channel)
            except Exception as error:
                log.warning("%s/%s cannot be closed: %s", self._name, channel, reason(error))
