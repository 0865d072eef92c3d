"""The outputs of a board: those of each interface on a thread of their own, and what they share."""

import logging
import time
from collections.abc import Callable, Mapping

from piio_agent.clock import Clock
from piio_agent.interfaces.contract import Interface
from piio_agent.outputs.engine import Engine
from piio_agent.outputs.interlocks import Interlocks
from piio_agent.outputs.memory import Memory
from piio_agent.outputs.messages import Forsaken, Heard, Message, Report, Stop, StopAll
from piio_agent.outputs.runner import Runner

log = logging.getLogger(__name__)


class Outputs:
    """Hands each message to whom it concerns: a driver that hangs holds up the outputs of its interface alone.

    `report` is called from several threads, for one interface always from the same.
    """

    def __init__(
        self, interfaces: Mapping[str, Interface], clock: Clock, memory: Memory, report: Callable[[Report], None]
    ) -> None:
        interlocks = Interlocks()
        self._memory = memory
        self._runners = {
            name: Runner(Engine({name: interface}, clock, memory, report, interlocks), clock, f"outputs of {name}")
            for name, interface in interfaces.items()
        }

    def start(self) -> None:
        """Begin."""
        for runner in self._runners.values():
            runner.start()

    def send(self, message: Message) -> bool:
        """Hand a message over; False: an order was not taken, as too many wait or there is no such interface."""
        if isinstance(message, Heard | StopAll | Forsaken | Stop):
            taken = [runner.send(message) for runner in self._runners.values()]
            return all(taken)
        runner = self._runners.get(message.channel.interface)
        return runner is not None and runner.send(message)

    def stop(self, timeout: float) -> bool:
        """Let all outputs go safely and end, within `timeout` seconds; False if a driver hangs and was left behind."""
        self.send(Stop())
        until = time.monotonic() + timeout
        hanging = [
            name for name, runner in self._runners.items() if not runner.ended(max(0.0, until - time.monotonic()))
        ]
        for name in hanging:
            log.error("the driver of '%s' hangs: its outputs could not be driven safe", name)
        self._memory.finish(max(0.0, until - time.monotonic()))
        return not hanging
