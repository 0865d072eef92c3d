"""Engines on simulated boards whose clock is turned by hand."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from piio_agent.channel import ChannelId
from piio_agent.clock import ManualClock
from piio_agent.interfaces.contract import Context, Interface
from piio_agent.interfaces.door import make
from piio_agent.interfaces.simulation.board import Board
from piio_agent.outputs.engine import Engine
from piio_agent.outputs.interlocks import Interlocks
from piio_agent.outputs.messages import Became, Heard, Message, Open, Order, Outcome, Policies, Report, Stop, StopAll

LAMP = ChannelId("gpio", "17")
FAN = ChannelId("gpio", "18")
VALVE = ChannelId("relays", "5")


def each_of(report: Report) -> list[Report]:
    """What a report tells, one after the other."""
    if isinstance(report, Outcome) and report.became:
        return [report.became, replace(report, became=None)]
    return [report]


class Memory:
    """Remembers as the agent's file does, without a file."""

    def __init__(self, clock: ManualClock) -> None:
        self.kept: dict[ChannelId, float] = {}
        self.off_since: dict[ChannelId, float | None] = {}
        self.saves = 0
        self._clock = clock

    def recall(self, channel: ChannelId) -> float | None:
        return self.kept.get(channel)

    def recall_off(self, channel: ChannelId) -> float | None:
        since = self.off_since.get(channel, -1)
        return self._clock.boottime() if since is None else since if since >= 0 else None

    def save(self, outputs: Mapping[ChannelId, float], off_since: Mapping[ChannelId, float | None]) -> None:
        self.kept.update(outputs)
        self.off_since.update(off_since)
        self.saves += 1

    def finish(self, timeout: float) -> None:
        pass


class Bench:
    """Two interfaces, each a board with an engine of its own; interlocks and the memory are of both."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.memory = Memory(self.clock)
        self.reports: list[Report] = []
        self.boards: dict[str, Board] = {}
        self.drivers: dict[str, Interface] = {}
        for name in ("gpio", "relays"):
            context = Context(self.clock)
            self.drivers[name] = make("simulated", {"part": "gpio"}, context)
            self.boards[name] = Board.of(context)
        self.gpio, self.board = self.drivers["gpio"], self.boards["gpio"]
        self._ids = iter(range(100_000))
        self.start()

    def start(self) -> None:
        """Begin anew, as after a crash of the process: engines that know only what was remembered."""
        interlocks = Interlocks()
        self.engines = {
            name: Engine({name: driver}, self.clock, self.memory, self.hear, interlocks)
            for name, driver in self.drivers.items()
        }

    def hear(self, report: Report) -> None:
        """Note what is reported."""
        self.reports += each_of(report)

    def tell(self, message: Message) -> None:
        """Hand a message over as it would come through a pipe."""
        message = msgspec.json.decode(msgspec.json.encode(message), type=type(message))
        for name, engine in self.engines.items():
            if isinstance(message, Heard | StopAll | Stop) or message.channel.interface == name:
                engine.handle(message)

    def open(self, channel: ChannelId = LAMP, point: str = "", **policies: Any) -> None:
        self.tell(Open(channel, {}, msgspec.convert(policies, Policies), point))

    def order(self, raw: float, channel: ChannelId = LAMP, pulse: float | None = None, ttl: float = 2) -> Outcome:
        id = str(next(self._ids))
        self.tell(Order(id, channel, raw, self.clock.boottime() + ttl, pulse))
        return next(r for r in reversed(self.reports) if isinstance(r, Outcome) and r.id == id)

    def reason(self, raw: float, channel: ChannelId = LAMP, pulse: float | None = None) -> str:
        """Order what has to be refused, by a policy and with nothing touched; returns why."""
        level, outcome = self.level(channel), self.order(raw, channel, pulse)
        assert (outcome.status, self.level(channel)) == ("refused", level)
        assert outcome.rule and outcome.reason.startswith(outcome.rule)
        return outcome.reason

    def pass_time(self, seconds: float, bridge: bool = False) -> None:
        """Let time pass in steps of 50 ms, with or without beacons of the bridge."""
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)
            if bridge:
                self.tell(Heard())
            self.tick()

    def step(self, seconds: float) -> None:
        """Let exactly so much time pass at once; the bridge is there all along."""
        for second in range(int(seconds)):
            for engine in self.engines.values():
                engine.hear(self.clock.boottime() + second)
        self.clock.advance(seconds)
        self.tell(Heard())
        self.tick()

    def tick(self) -> None:
        """Let the engines do what is due."""
        for engine in self.engines.values():
            due = engine.due()
            if due is not None and due <= self.clock.boottime():
                engine.tick()

    def level(self, channel: ChannelId = LAMP) -> int:
        return self.boards[channel.interface].gpio.level(channel.channel)

    def levels(self, channel: ChannelId = LAMP) -> list[int | None]:
        return [entry.level for entry in self.boards[channel.interface].trace.changes(channel.channel)]

    @property
    def newest(self) -> Became:
        return next(r for r in reversed(self.reports) if isinstance(r, Became))
