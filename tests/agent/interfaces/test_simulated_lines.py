"""What a simulated line is: who drives it, who wins, what it refuses."""

from __future__ import annotations

import queue
from typing import Any

import pytest

from piio_agent.interfaces import Edge, InterfaceError
from piio_agent.interfaces.door import settings_of
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, ValueRefused
from piio_agent.interfaces.simulated import Simulated

DEADLINE = 5.0


def take(gpio: Simulated, channel: str, direction: Any = "input", first: float | None = None, **settings: Any) -> None:
    gpio.open(channel, direction, settings_of(gpio, settings), first)


def watched(gpio: Simulated, channel: str) -> queue.SimpleQueue[Edge]:
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    gpio.watch(channel, edges.put)
    return edges


def levels(gpio: Simulated, channel: str) -> list[tuple[int | None, str]]:
    return [(e.level, e.by) for e in gpio.board.trace.changes(channel)]


def test_the_board_has_the_lines_2_to_27_by_their_names_and_pins(gpio: Simulated) -> None:
    assert list(gpio.channels()) == [str(n) for n in range(2, 28)]
    assert gpio.channels()["17"].label == "GPIO17 (pin 11)"
    assert all(channel.edges for channel in gpio.channels().values())


def test_an_output_takes_its_first_value_in_the_moment_it_becomes_one(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=1)
    assert gpio.read("17") == 1
    assert levels(gpio, "17") == [(1, "output")]


def test_an_output_without_a_first_value_is_refused(gpio: Simulated) -> None:
    with pytest.raises(InterfaceError, match="GPIO17: an output needs its first value"):
        take(gpio, "17", "output")
    assert levels(gpio, "17") == []


def test_an_active_low_output_that_is_off_is_high_and_never_blinks(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=0, active_low=True)
    gpio.write("17", 0)
    assert (gpio.read("17"), gpio.board.gpio.level("17")) == (0, 1)
    assert levels(gpio, "17") == [(1, "output")]


def test_a_released_output_falls_back_to_its_pull(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=1)
    take(gpio, "18", "output", first=0, bias="pull-up")
    gpio.close("17")
    gpio.close("18")
    gpio.close("18")
    assert levels(gpio, "17")[-1] == (0, "released")
    assert levels(gpio, "18")[-1] == (1, "pull")


def test_reopening_an_output_with_the_same_value_does_not_glitch(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=1)
    take(gpio, "17", "output", first=0, active_low=True)
    assert levels(gpio, "17") == [(1, "output")]


def test_23_is_wired_to_24_too(gpio: Simulated) -> None:
    take(gpio, "24", "output", first=1)
    take(gpio, "23")
    assert gpio.read("23") == 1


def test_the_outside_drives_the_electrical_line_whatever_active_low_says(gpio: Simulated) -> None:
    take(gpio, "5", active_low=True)
    edges = watched(gpio, "5")
    gpio.simulate("5", 1)
    assert gpio.read("5") == 0
    assert edges.get(timeout=DEADLINE).edge == "falling"
    gpio.simulate("5", None)
    assert gpio.read("5") == 1
    assert levels(gpio, "5") == [(1, "outside"), (0, "released")]


def test_the_outside_wins_over_a_pull_and_the_pull_returns_when_it_lets_go(gpio: Simulated) -> None:
    take(gpio, "5", bias="pull-up")
    gpio.simulate("5", 0)
    gpio.simulate("5", None)
    assert levels(gpio, "5") == [(1, "pull"), (0, "outside"), (1, "pull")]


def test_an_output_wins_over_the_outside_and_the_trace_says_so(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=1)
    gpio.simulate("17", 0)
    assert gpio.read("17") == 1
    assert [e.event for e in gpio.board.trace.entries()][-1] == "contention"


def test_of_two_outputs_wired_together_the_low_one_wins_and_the_trace_says_so(gpio: Simulated) -> None:
    take(gpio, "22", "output", first=1)
    take(gpio, "27", "output", first=0)
    assert (gpio.read("22"), gpio.read("27")) == (0, 0)
    assert [e.event for e in gpio.board.trace.entries() if e.event == "contention"] == ["contention"]
    gpio.close("27")
    assert levels(gpio, "22") == [(1, "output"), (0, "output"), (1, "output")]


def test_an_open_drain_output_only_pulls_low(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=1, drive="open-drain", bias="pull-up")
    assert levels(gpio, "17") == [(1, "pull")]
    gpio.simulate("17", 0)
    assert gpio.read("17") == 0


def test_an_open_source_output_only_drives_high(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=0, drive="open-source", bias="pull-up")
    assert gpio.read("17") == 1
    gpio.write("17", 1)
    assert levels(gpio, "17") == [(1, "pull")]
    gpio.simulate("17", 0)
    gpio.write("17", 0)
    assert levels(gpio, "17")[-1] == (0, "outside")


def test_a_closed_line_reports_nothing_and_answers_nothing(gpio: Simulated) -> None:
    take(gpio, "5")
    edges = watched(gpio, "5")
    gpio.close("5")
    gpio.simulate("5", 1)
    take(gpio, "6")
    others = watched(gpio, "6")
    gpio.simulate("6", 1)
    others.get(timeout=DEADLINE)
    assert edges.empty()
    with pytest.raises(ChannelClosed, match="GPIO5 is not open"):
        gpio.read("5")


@pytest.mark.parametrize("raw", [2, -1, 0.5, float("nan")])
def test_what_a_line_cannot_take_is_refused(gpio: Simulated, raw: float) -> None:
    take(gpio, "17", "output", first=1)
    with pytest.raises(ValueRefused, match="GPIO17 cannot take"):
        gpio.write("17", raw)
    with pytest.raises(ValueRefused):
        gpio.simulate("17", raw)
    assert levels(gpio, "17") == [(1, "output")]


def test_an_unknown_line_is_named(gpio: Simulated) -> None:
    with pytest.raises(ChannelUnknown, match="there is no channel '99'"):
        take(gpio, "99")
