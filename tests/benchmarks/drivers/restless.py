"""Hardware that does nothing but change: lines that move together, and inputs that read another number each time."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from piio_agent.interfaces import Channel, Context, Direction, Edge, Interface, OnEdge

LINES: Mapping[str, Channel] = {str(n): Channel(f"Line {n}", ("input",), "digital", edges=True) for n in range(64)}
INPUTS: Mapping[str, Channel] = {
    f"a{n}": Channel(f"Input {n}", ("input",), "analog", low=0, high=1023) for n in range(16)
}


@dataclass(frozen=True)
class RestlessOptions:
    """How restless it is."""

    rate: Annotated[float, Meta(description="Changes a second of each line, all of them together.")] = 100.0


class Restless(Interface):
    """64 lines with edges that all change in one moment, from when the last of them is watched; 16 inputs to poll."""

    name = "restless"
    title = "Restless lines"
    Options: ClassVar[type[Any]] = RestlessOptions
    divisible = True
    options: RestlessOptions

    def __init__(self, options: RestlessOptions, context: Context) -> None:
        super().__init__(options, context)
        self._watchers: dict[str, OnEdge] = {}
        self._thread: threading.Thread | None = None
        self._readings = itertools.count()
        self._level = False

    def channels(self) -> Mapping[str, Channel]:
        """All of them."""
        return {**LINES, **INPUTS}

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:
        """Nothing has to be done."""

    def read(self, channel: str) -> float:
        """The line's level; of an input always another number."""
        return float(self._level) if channel in LINES else float(next(self._readings) % 1000)

    def watch(self, channel: str, on_edge: OnEdge) -> None:
        """Begin to move once every line is watched."""
        self._watchers[channel] = on_edge
        if len(self._watchers) == len(LINES) and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="restless", daemon=True)
            self._thread.start()

    def close(self, channel: str) -> None:
        """Move no more."""
        self._watchers.pop(channel, None)

    def _run(self) -> None:
        spacing, due = 1 / self.options.rate, time.monotonic()
        for seq in itertools.count(1):
            due += spacing
            time.sleep(max(0.0, due - time.monotonic()))
            watchers = list(self._watchers.values())
            if len(watchers) < len(LINES):
                break
            self._level = not self._level
            now = time.monotonic_ns()
            edge = Edge("rising" if self._level else "falling", time.time_ns(), now, seq)
            for on_edge in watchers:
                on_edge(edge)
        self._thread = None


class RestlessApart(Restless):
    """The same, where one process has to hold inputs and outputs: the agent reads it through that one."""

    name = "restless_apart"
    title = "Restless lines of another process"
    divisible = False
