"""Pulses and lost edges of a line, and the line that several channels share."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest

from piio_agent.counting.counts import KeptCounts
from piio_agent.counting.interface import Counting
from piio_agent.counting.tally import Tally
from piio_agent.interfaces import Channel, Context, Edge, Interface
from piio_agent.interfaces.door import settings_of
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, InterfaceError, NotSupported, SettingsError
from tests.agent.counting.conftest import PATIENCE, Bench, until

Make = Callable[..., Bench]


def test_pulses_are_the_rising_edges_since_the_start(bench: Bench) -> None:
    bench.watch("17")
    bench.pulse("17", 0.1, 0.1, times=2)
    bench.open("17-pulses")
    assert bench.gpio.read("17-pulses") == 0
    bench.pulse("17", 0.1, 0.1, times=5)
    bench.move("17", 1)
    assert bench.gpio.read("17-pulses") == 6


def test_pulses_of_an_active_low_line_begin_when_it_goes_low(bench: Bench) -> None:
    bench.watch("17", active_low=True)
    bench.open("17-pulses", active_low=True)
    bench.move("17", 1)
    assert bench.gpio.read("17-pulses") == 0
    bench.move("17", 0)
    assert bench.gpio.read("17-pulses") == 1


def test_a_bouncing_button_is_counted_with_its_bounces_unless_it_is_debounced(make_bench: Make) -> None:
    bench = make_bench(bouncing=["5", "6"])
    bench.watch("5")
    bench.open("5-pulses")
    bench.open("6-pulses", debounce_period=0.01)
    for line in ("5", "6"):
        bench.gpio.simulate(line, 1)
    for _ in range(100):
        bench.clock.advance(0.001)
        bench.board.settle()
    for _ in range(11):
        bench.edges.get(timeout=PATIENCE)
    assert bench.gpio.read("5-pulses") == 6
    until(lambda: bench.gpio.read("6-pulses") == 1)


def test_a_count_is_exact_beyond_what_32_bits_hold(bench: Bench) -> None:
    bench.watch("17")
    bench.open("17-pulses", start=2**53 - 2)
    bench.pulse("17", 0.1, 0.1, times=2)
    assert bench.gpio.read("17-pulses") == 2**53


def test_what_was_lost_is_counted_apart(make_bench: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("piio_agent.interfaces.simulation.pacemaker.QUEUE", 16)
    bench = make_bench()
    bench.open("17")
    for measure in ("pulses", "lost", "frequency"):
        bench.open(f"17-{measure}")
    go_on: queue.SimpleQueue[None] = queue.SimpleQueue()
    seen: queue.SimpleQueue[Edge] = queue.SimpleQueue()

    def slow(edge: Edge) -> None:
        seen.put(edge)
        if edge.seq == 1:
            go_on.get(timeout=PATIENCE)

    bench.gpio.watch("17", slow)
    for n in range(101):
        bench.gpio.simulate("17", (n + 1) % 2)
        bench.clock.advance(0.01)
        if n == 0:
            seen.get(timeout=PATIENCE)
    go_on.put(None)
    for _ in range(16):
        seen.get(timeout=PATIENCE)
    # Of 101 edges the first and the last 16 came through, 8 of these rising.
    assert bench.gpio.read("17-lost") == 101 - 17
    assert bench.gpio.read("17-pulses") == 1 + 8
    assert bench.gpio.read("17-frequency") == pytest.approx(50)


def test_two_edges_alike_show_that_one_between_them_was_lost() -> None:
    tally = Tally()
    for n, edge in enumerate(("rising", "rising", "falling", "falling", "rising")):
        tally.take(Edge(edge, 0, n, n + 1))  # type: ignore[arg-type]
    assert (tally.counts["pulses"].value, tally.counts["lost"].value) == (3, 2)


def test_a_level_that_the_driver_had_to_read_itself_is_no_pulse() -> None:
    tally = Tally()
    for edge in (Edge("rising", 0, 1, 1), Edge("falling", 0, 2, 2), Edge("rising", 0, 3, 2, lost=1)):
        tally.take(edge)
    assert (tally.counts["pulses"].value, tally.counts["lost"].value) == (1, 1)
    assert tally.level is True


def test_channels_of_one_line_share_it(bench: Bench) -> None:
    bench.open("17-pulses")
    bench.watch("17")
    bench.open("17-frequency")
    assert bench.opened("17") == 1
    bench.pulse("17", 0.1, 0.1, times=3)
    assert (bench.gpio.read("17-pulses"), bench.gpio.read("17-frequency")) == (3, 5)
    bench.gpio.close("17")
    bench.gpio.close("17-frequency")
    assert bench.closed("17") == 0
    bench.gpio.simulate("17", 1)
    until(lambda: bench.gpio.read("17-pulses") == 4)
    bench.gpio.close("17-pulses")
    assert bench.closed("17") == 1
    bench.gpio.close("17-pulses")
    with pytest.raises(ChannelClosed):
        bench.gpio.read("17-pulses")


def test_other_settings_of_the_line_hold_for_all_that_look_at_it(bench: Bench) -> None:
    bench.open("17-pulses")
    bench.watch("17")
    bench.watch("17", active_low=True)
    bench.open("17-pulses", active_low=True)
    assert bench.opened("17") == 2
    bench.move("17", 1)
    bench.move("17", 0)
    assert bench.gpio.read("17-pulses") == 1


def test_another_window_opens_no_line_anew(bench: Bench) -> None:
    bench.open("17-frequency")
    bench.open("17-frequency", window=5)
    assert bench.opened("17") == 1


def test_a_line_that_fails_fails_for_all_and_the_count_goes_on_afterwards(bench: Bench) -> None:
    bench.watch("17")
    bench.open("17-pulses")
    bench.pulse("17", 0.1, 0.1, times=3)
    bench.board.fault("gpio", "17", "the plug is out")
    bench.clock.advance(3)  # nothing but a reading every two seconds tells that a line has gone
    with pytest.raises(InterfaceError, match="the plug is out"):
        bench.gpio.read("17-pulses")
    with pytest.raises(InterfaceError, match="the plug is out"):
        bench.open("17-pulses")
    bench.board.heal("gpio", "17")
    bench.open("17-pulses")
    assert bench.gpio.read("17-pulses") == 3
    bench.pulse("17", 0.1, 0.1)
    assert bench.gpio.read("17-pulses") == 4


def test_a_line_that_cannot_be_opened_is_let_go(bench: Bench) -> None:
    bench.board.fault("gpio", "17", "the plug is out")
    with pytest.raises(InterfaceError, match="the plug is out"):
        bench.open("17-pulses")
    bench.board.heal("gpio", "17")
    bench.open("17-frequency")
    bench.gpio.close("17-frequency")
    assert bench.opened("17") == bench.closed("17") == 1


def test_what_does_not_report_edges_is_not_counted(bench: Bench) -> None:
    class Mute(Interface):
        name = "mute"
        held: ClassVar[set[str]] = set()

        def channels(self) -> Mapping[str, Channel]:
            edges = {str(n): Channel(f"line {n}", ("input",), "digital", edges=bool(n)) for n in range(2)}
            return edges | {"1-frequency": Channel("the driver's own", ("input",), "analog")}

        def open(self, channel: str, *_: Any) -> None:
            if channel not in self.channels():
                raise ChannelUnknown(channel, self.channels())
            self.held.add(channel)

        def read(self, channel: str) -> float:
            return 42.0 if channel == "1-frequency" else 0.0

        def close(self, channel: str) -> None:
            self.held.discard(channel)

    mute = Counting("mute", Mute(None, Context()), KeptCounts(None, bench.clock))
    with pytest.raises(ChannelUnknown, match="there is no channel '0-pulses'"):
        mute.open("0-pulses", "input", settings_of(mute, {}, "0-pulses"))
    with pytest.raises(NotSupported, match="line 1 reports no edges, so nothing can be counted there"):
        mute.open("1-pulses", "input", settings_of(mute, {}, "1-pulses"))
    assert Mute.held == set()
    mute.open("1-frequency", "input", settings_of(mute, {}, "1-frequency"))
    assert mute.read("1-frequency") == 42
    mute.open("1", "input", settings_of(mute, {}, "1"))
    with pytest.raises(NotSupported):
        mute.watch("1", print)


def test_only_counting_channels_take_the_settings_of_counting(bench: Bench) -> None:
    assert settings_of(bench.gpio, {"window": 2, "active_low": True}, "17-frequency").window == 2
    with pytest.raises(SettingsError, match="'window' is unknown; there are: active_low"):
        settings_of(bench.gpio, {"window": 2}, "17")
    with pytest.raises(SettingsError, match=r"'window' is 0; wanted number >= 0\.001 and <= 3600"):
        settings_of(bench.gpio, {"window": 0}, "17-duty")
