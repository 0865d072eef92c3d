"""A driver that hangs makes nobody deaf: beacons of the bridge count from when they came."""

import threading
from collections.abc import Iterator

import pytest

from piio_agent.outputs.messages import Became, Heard, Order, Outcome
from piio_agent.outputs.runner import Runner
from tests.agent.outputs.bench import FAN, LAMP, Bench

NEVER = 1e9
WHY = "no sign of the bridge for 2 s"


class Jam:
    """A runner whose driver hangs in its next write, until it is let free; its time is turned by hand."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench, self.free, self.jammed = bench, threading.Event(), threading.Event()
        self.write = bench.gpio.write
        monkeypatch.setattr(bench.gpio, "write", self.hang)
        self.runner = Runner(bench.engines["gpio"], bench.clock)

    def hang(self, channel: str, raw: float) -> None:
        self.jammed.set()
        assert self.free.wait(8)
        self.write(channel, raw)

    def begin(self) -> None:
        self.runner.start()
        self.runner.send(Order("hangs", FAN, 1, NEVER))
        assert self.jammed.wait(8)

    def pass_time(self, seconds: int, bridge: bool) -> None:
        for _ in range(seconds):
            self.bench.clock.advance(1)
            if bridge:
                assert self.runner.send(Heard())

    def end(self) -> list[Became | Outcome]:
        """Let it go on; returns what came of it until a last order is done, which changes nothing."""
        done = threading.Event()
        report = self.bench.hear
        self.bench.engines["gpio"]._report = lambda each: (
            report(each),
            getattr(each, "id", "") == "last" and done.set(),
        )
        self.runner.send(Order("last", FAN, 1, NEVER))
        self.free.set()
        assert done.wait(8)
        return [each for each in self.bench.reports if isinstance(each, Became | Outcome) and each.channel == LAMP]


@pytest.fixture
def jam(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jam]:
    bench.open(FAN, on_lost="hold")
    made = Jam(bench, monkeypatch)
    yield made
    made.free.set()
    assert made.runner.stop(8)


def test_a_bridge_that_was_heard_all_along_is_not_lost(bench: Bench, jam: Jam) -> None:
    bench.open(on_start="on", lease=2)
    jam.begin()
    jam.pass_time(2000, bridge=True)
    assert jam.end() == [Became(LAMP, 1.0)]


def test_one_that_fell_silent_meanwhile_is_lost_before_a_late_order_acts(bench: Bench, jam: Jam) -> None:
    bench.open(on_start="on", lease=2)
    jam.begin()
    jam.pass_time(1, bridge=True)
    jam.runner.send(Order("late", LAMP, 1, NEVER))
    jam.pass_time(3, bridge=False)
    became = [(each.raw, each.fail_safe) for each in jam.end() if isinstance(each, Became)]
    assert became == [(1, None), (0, WHY), (1, None)]


def test_one_that_comes_back_does_not_undo_what_was_due_by_then(bench: Bench, jam: Jam) -> None:
    bench.open(on_start="on", lease=2)
    jam.begin()
    jam.runner.send(Order("late", LAMP, 1, NEVER))
    jam.pass_time(3, bridge=False)
    jam.pass_time(2, bridge=True)
    became = [(each.raw, each.fail_safe) for each in jam.end() if isinstance(each, Became)]
    assert became == [(1, None), (0, WHY), (1, None)]


def test_what_is_due_for_another_reason_still_comes_before_a_late_order(bench: Bench, jam: Jam) -> None:
    bench.open(on_start="on", lease=2, max_on=3)
    jam.begin()
    jam.runner.send(Order("late", LAMP, 1, NEVER))
    jam.pass_time(4, bridge=True)
    became = [(each.raw, each.fail_safe) for each in jam.end() if isinstance(each, Became)]
    assert became == [(1, None), (0, "it was on for 3 s"), (1, None)]
