"""Inputs that the outputs' process reads for the agent: those that are due together come by one call."""

import time
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

import msgspec
import pytest

from piio_agent.channel import ChannelId
from piio_agent.clock import SystemClock
from piio_agent.holder import hosted as hosted_module
from piio_agent.holder.calls import Calls
from piio_agent.holder.edge_relay import EdgeRelay
from piio_agent.holder.hosted import Hosted
from piio_agent.holder.messages import Call, Return
from piio_agent.holder.remote import Remote, remote
from piio_agent.input import Rates
from piio_agent.interfaces import Channel, Context, Direction, Interface, InterfaceError
from piio_agent.interfaces.contract import NoOptions
from piio_agent.reports import Reading, Report
from piio_agent.sampler import Sampler

PATIENCE = 5.0

CHANNELS: Mapping[str, Channel] = {name: Channel(name, ("input",), "analog") for name in "abc"}


class Sensors(Interface):
    """Three inputs; what is in `broken` fails, and each takes its time."""

    name = "sensors"
    title = "Sensors"
    takes = 0.0
    broken = ""
    raws: Mapping[str, float] = {"a": 1.0, "b": 2.0, "c": 3.0}

    def channels(self) -> Mapping[str, Channel]:
        return CHANNELS

    def open(self, channel: str, direction: Direction, settings: Any, first: float | None = None) -> None:
        pass

    def read(self, channel: str) -> float:
        time.sleep(self.takes)
        if channel in self.broken:
            raise InterfaceError(f"{channel} is broken")
        return self.raws[channel]

    def close(self, channel: str) -> None:
        pass


class Bench:
    """Sensors of an outputs' process, as the agent's side reads them, with every call noted."""

    def __init__(self) -> None:
        self.sensors = Sensors(NoOptions(), Context())
        self.called: list[tuple[str, Any]] = []
        self._hosted = Hosted("sensors", self.sensors, self._answer)
        self._calls = Calls(self._call)
        self.remote: Remote = remote("sensors", self.sensors, self._calls, EdgeRelay())

    def _call(self, message: msgspec.Struct) -> bool:
        assert isinstance(message, Call)
        self.called.append((message.method, *message.arguments))
        self._hosted.call(message)
        return True

    def _answer(self, message: msgspec.Struct) -> None:
        self._calls.answer(msgspec.convert(msgspec.to_builtins(message), Return))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(hosted_module, "LITTLE", 5.0)  # this machine may be busy
    return Bench()


def test_what_is_read_ahead_needs_no_call_of_its_own_once(bench: Bench) -> None:
    bench.remote.read_ahead(["a", "b", "c"])
    assert [bench.remote.read(channel) for channel in "abc"] == [1.0, 2.0, 3.0]
    assert bench.called == [("read_ahead", ["a", "b", "c"])]
    bench.sensors.raws = {"a": 5.0}
    assert bench.remote.read("a") == 5.0
    assert bench.called[1:] == [("read", "a")]


def test_one_that_is_broken_spoils_no_other_and_says_why(bench: Bench) -> None:
    bench.sensors.broken = "b"
    bench.remote.read_ahead(["a", "b", "c"])
    assert (bench.remote.read("a"), bench.remote.read("c")) == (1.0, 3.0)
    with pytest.raises(InterfaceError, match="b is broken"):
        bench.remote.read("b")


def test_hardware_that_takes_its_time_is_read_one_by_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted_module, "LITTLE", 0.01)
    bench.sensors.takes = 0.02
    bench.remote.read_ahead(["a", "b", "c"])
    assert [bench.remote.read(channel) for channel in "abc"] == [1.0, 2.0, 3.0]
    assert bench.called[1:] == [("read", "b"), ("read", "c")]


def test_an_input_that_was_opened_anew_is_read_anew(bench: Bench) -> None:
    bench.remote.read_ahead(["a"])
    bench.remote.open("a", "input", bench.sensors.Settings())
    bench.sensors.raws = {"a": 5.0}
    assert bench.remote.read("a") == 5.0


def test_inputs_of_one_period_take_one_call_a_turn(bench: Bench) -> None:
    reported: SimpleQueue[Report] = SimpleQueue()
    sampler = Sampler("sensors", bench.remote, SystemClock(), reported.put, lambda *_: None)
    sampler.start()
    for channel in "abc":
        sampler.open(channel, {}, Rates(0.05, 0.05))
    for number in (1.0, 4.0, 7.0):
        bench.called.clear()
        bench.sensors.raws = {"a": number, "b": number + 1, "c": number + 2}
        wanted = [Reading(ChannelId("sensors", channel), raw) for channel, raw in bench.sensors.raws.items()]
        while wanted:
            report = reported.get(timeout=PATIENCE)
            wanted = [each for each in wanted if each != report]
    # They were in step since the turn before.
    assert {call[0] for call in bench.called} == {"read_ahead"}
    assert all(call[1] == ["a", "b", "c"] for call in bench.called)
    sampler.stop(PATIENCE)
