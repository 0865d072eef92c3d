"""What a simulated line reports to whoever watches it."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest

from piio_agent.clock import ManualClock
from piio_agent.interfaces import Context, Edge
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.errors import ChannelClosed
from piio_agent.interfaces.simulated import Simulated
from piio_agent.interfaces.simulation.pacemaker import QUEUE

DEADLINE = 5.0


def take(gpio: Simulated, channel: str, direction: Any = "input", first: float | None = None, **settings: Any) -> None:
    gpio.open(channel, direction, settings_of(gpio, settings), first)


def watched(gpio: Simulated, channel: str) -> queue.SimpleQueue[Edge]:
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    gpio.watch(channel, edges.put)
    return edges


def levels(gpio: Simulated, channel: str) -> list[tuple[int | None, str]]:
    return [(e.level, e.by) for e in gpio.board.trace.changes(channel)]


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


def test_an_input_opened_anew_begins_with_what_it_finds(gpio: Simulated, clock: ManualClock) -> None:
    take(gpio, "5", debounce_period=1)
    gpio.simulate("5", 1)
    take(gpio, "5", debounce_period=1)
    edges = watched(gpio, "5")
    assert gpio.read("5") == 1
    clock.advance(2)
    gpio.simulate("5", 0)
    clock.advance(2)
    assert gpio.read("5") == 0
    assert edges.get(timeout=DEADLINE).edge == "falling"


def test_who_takes_a_bouncing_button_again_ends_its_bouncing(gpio: Simulated, clock: ManualClock) -> None:
    gpio.board.gpio.bounce("5", times=3, spacing=0.001)
    gpio.simulate("5", 1)
    clock.advance(0.0015)
    assert gpio.board.gpio.level("5") == 0
    gpio.simulate("5", None)
    clock.advance(1)
    assert gpio.board.gpio.level("5") == 0
    assert [level for level, _ in levels(gpio, "5")] == [1, 0]


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


def test_edges_that_still_wait_when_a_line_is_closed_are_not_delivered(gpio: Simulated) -> None:
    take(gpio, "5")
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    go_on = threading.Event()

    def slow(edge: Edge) -> None:
        edges.put(edge)
        go_on.wait(DEADLINE)

    gpio.watch("5", slow)
    gpio.simulate("5", 1)
    edges.get(timeout=DEADLINE)
    gpio.simulate("5", 0)
    gpio.close("5")
    take(gpio, "6")
    others = watched(gpio, "6")
    gpio.simulate("6", 1)
    go_on.set()
    others.get(timeout=DEADLINE)
    assert edges.empty()


def test_shutting_lets_go_of_every_line_and_ends_the_thread(gpio: Simulated) -> None:
    take(gpio, "5")
    take(gpio, "17", "output", first=1)
    edges = watched(gpio, "5")
    gpio.simulate("5", 1)
    edges.get(timeout=DEADLINE)
    threads = [thread for thread in threading.enumerate() if thread.name == "simulated board"]
    assert threads
    gpio.shut()
    gpio.shut()
    assert gpio.board.gpio.level("17") == 0
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()


def test_an_input_cannot_be_written_nor_an_output_watched(gpio: Simulated) -> None:
    take(gpio, "5")
    take(gpio, "6", "output", first=0)
    with pytest.raises(ChannelClosed, match="GPIO5 is not open as an output"):
        gpio.write("5", 1)
    with pytest.raises(ChannelClosed, match="GPIO6 is not open as an input"):
        watched(gpio, "6")
