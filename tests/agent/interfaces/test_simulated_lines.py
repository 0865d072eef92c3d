"""What the simulated lines do for whoever opens, drives, watches or breaks them."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from piio_agent.clock import ManualClock
from piio_agent.interfaces import Context, Edge, InterfaceError
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.errors import ChannelClosed, ChannelUnknown, ValueRefused
from piio_agent.interfaces.simulated import Simulated
from piio_agent.interfaces.simulation.pacemaker import QUEUE

DEADLINE = 5.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def context(clock: ManualClock, tmp_path: Path) -> Context:
    return Context(clock=clock, folder=tmp_path)


@pytest.fixture
def gpio(context: Context) -> Iterator[Simulated]:
    interface = make("simulated", {"part": "gpio"}, context)
    assert isinstance(interface, Simulated)
    with interface:
        yield interface


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


def test_an_output_is_seen_through_the_wire_by_who_watches_the_other_end(gpio: Simulated, clock: ManualClock) -> None:
    take(gpio, "22", "output", first=0)
    take(gpio, "27")
    edges = watched(gpio, "27")
    clock.advance(1)
    gpio.write("22", 1)
    clock.advance(1)
    gpio.write("22", 0)
    first, second = edges.get(timeout=DEADLINE), edges.get(timeout=DEADLINE)
    assert (first.edge, first.seq, first.lost, first.mono_ns) == ("rising", 1, 0, 1_000_000_000)
    assert (second.edge, second.seq, second.lost, second.mono_ns) == ("falling", 2, 0, 2_000_000_000)
    assert second.t_ns - second.mono_ns == clock.unix_ns() - clock.monotonic_ns()


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


def test_an_edge_lost_in_a_full_queue_is_counted(gpio: Simulated) -> None:
    take(gpio, "5")
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    busy, go_on = threading.Event(), threading.Event()

    def slow(edge: Edge) -> None:
        edges.put(edge)
        busy.set()
        go_on.wait(DEADLINE)

    gpio.watch("5", slow)
    gpio.simulate("5", 1)
    assert busy.wait(DEADLINE)
    for n in range(QUEUE + 3):
        gpio.simulate("5", n % 2)
    go_on.set()
    seen = [edges.get(timeout=DEADLINE) for _ in range(1 + QUEUE)]
    assert [edge.lost for edge in seen[:3]] == [0, 3, 0]
    assert seen[-1].seq == QUEUE + 4
    assert seen[-1].raw == gpio.read("5")


def test_an_open_drain_output_only_pulls_low(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=1, drive="open-drain", bias="pull-up")
    assert levels(gpio, "17") == [(1, "pull")]
    gpio.simulate("17", 0)
    assert gpio.read("17") == 0


def test_an_input_that_begins_high_reports_no_edge_for_it(gpio: Simulated) -> None:
    gpio.simulate("5", 1)
    take(gpio, "5")
    edges = watched(gpio, "5")
    gpio.simulate("5", 0)
    assert edges.get(timeout=DEADLINE).edge == "falling"
    assert edges.empty()


def test_a_bouncing_button_gives_all_its_edges_to_who_does_not_debounce(context: Context, clock: ManualClock) -> None:
    gpio = make("simulated", {"bouncing": ["5"]}, context)
    assert isinstance(gpio, Simulated)
    with gpio:
        take(gpio, "5")
        edges = watched(gpio, "5")
        gpio.simulate("5", 1)
        clock.advance(0.01)
        gpio.board.settle()
        seen = [edges.get(timeout=DEADLINE) for _ in range(11)]
        assert [e.edge for e in seen] == ["rising", "falling"] * 5 + ["rising"]
        assert seen[-1].mono_ns == 2_000_000
        assert gpio.read("5") == 1


def test_debouncing_makes_one_edge_of_a_bouncing_button(gpio: Simulated, clock: ManualClock) -> None:
    gpio.board.gpio.bounce("5", times=3, spacing=0.001)
    take(gpio, "5", debounce_period=0.005)
    edges = watched(gpio, "5")
    gpio.simulate("5", 1)
    clock.advance(0.008)
    assert (gpio.read("5"), gpio.board.gpio.level("5")) == (0, 1)
    clock.advance(1)
    assert gpio.read("5") == 1
    edge = edges.get(timeout=DEADLINE)
    assert (edge.edge, edge.seq, edge.mono_ns) == ("rising", 1, 11_000_000)
    assert edges.empty()


def test_debouncing_works_on_the_systems_clock_without_anybody_looking() -> None:
    gpio = make("simulated", {}, Context())
    assert isinstance(gpio, Simulated)
    with gpio:
        take(gpio, "5", debounce_period=0.01)
        edges = watched(gpio, "5")
        gpio.simulate("5", 1)
        assert edges.get(timeout=DEADLINE).edge == "rising"


def test_a_watcher_may_write_and_may_fail(gpio: Simulated, caplog: pytest.LogCaptureFixture) -> None:
    take(gpio, "5")
    take(gpio, "22", "output", first=0)
    take(gpio, "27")
    echoes = watched(gpio, "27")

    def follow(edge: Edge) -> None:
        gpio.write("22", edge.raw)
        raise RuntimeError("a watcher's own fault")

    gpio.watch("5", follow)
    gpio.simulate("5", 1)
    gpio.simulate("5", 0)
    assert [echoes.get(timeout=DEADLINE).edge for _ in range(2)] == ["rising", "falling"]
    assert "an edge of GPIO5 was not handled" in caplog.text


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


def test_a_fault_answers_with_its_reason_until_it_is_healed(gpio: Simulated) -> None:
    gpio.board.fault("gpio", "17", "is held by 'pump-daemon'")
    with pytest.raises(InterfaceError, match="GPIO17: is held by 'pump-daemon'"):
        take(gpio, "17", "output", first=0)
    gpio.board.heal("gpio", "17")
    take(gpio, "17", "output", first=0)


def test_faults_may_come_from_the_agents_file(context: Context) -> None:
    with make("simulated", {"faults": {"17": "burnt"}}, context) as gpio, pytest.raises(InterfaceError, match="burnt"):
        gpio.open("17", "input", settings_of(gpio, {}))


@pytest.mark.parametrize("raw", [2, -1, 0.5, float("nan")])
def test_what_a_line_cannot_take_is_refused(gpio: Simulated, raw: float) -> None:
    take(gpio, "17", "output", first=1)
    with pytest.raises(ValueRefused, match="GPIO17 cannot take"):
        gpio.write("17", raw)
    with pytest.raises(ValueRefused):
        gpio.simulate("17", raw)
    assert levels(gpio, "17") == [(1, "output")]


def test_an_input_cannot_be_written_nor_an_output_watched(gpio: Simulated) -> None:
    take(gpio, "5")
    take(gpio, "6", "output", first=0)
    with pytest.raises(ChannelClosed, match="GPIO5 is not open as an output"):
        gpio.write("5", 1)
    with pytest.raises(ChannelClosed, match="GPIO6 is not open as an input"):
        watched(gpio, "6")


def test_an_unknown_line_is_named(gpio: Simulated) -> None:
    with pytest.raises(ChannelUnknown, match="there is no channel '99'"):
        take(gpio, "99")


def test_the_trace_file_tells_the_whole_story(gpio: Simulated, clock: ManualClock, tmp_path: Path) -> None:
    take(gpio, "17", "output", first=0)
    clock.advance(1.5)
    gpio.write("17", 1)
    gpio.shut()
    story = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    start = round(1_700_000_000 * 1e9)
    where = {"interface": "gpio", "channel": "17"}
    later = {"t_ns": start + 1_500_000_000, "mono_ns": 1_500_000_000, **where}
    assert story == [
        {"t_ns": start, "mono_ns": 0, **where, "event": "open", "level": 0, "direction": "output"},
        {**later, "level": 1, "by": "output"},
        {**later, "event": "close", "direction": "output"},
        {**later, "level": 0, "by": "released"},
    ]


def test_a_trace_that_cannot_be_written_does_not_stop_the_board(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    gpio = make("simulated", {}, Context(folder=tmp_path / "file" / "folder"))
    assert isinstance(gpio, Simulated)
    with gpio:
        take(gpio, "17", "output", first=1)
        assert levels(gpio, "17") == [(1, "output")]
