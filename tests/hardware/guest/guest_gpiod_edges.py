"""Edges of the driver gpiod: every one, in order, with the kernel's time, and the level that they end at."""

from __future__ import annotations

import time
from typing import Any

import gpiod
import pytest

from piio_agent.clock import SystemClock
from piio_agent.interfaces import Context, Interface
from piio_agent.interfaces.door import make
from tests.hardware.guest.burst import Burst
from tests.hardware.guest.lines import DEADLINE, take, watched
from tests.hardware.guest.sim_chip import until


def test_edges_come_in_order_with_the_kernels_time(gpio: Interface, chip: Any) -> None:
    take(gpio, "5")
    edges = watched(gpio, "5")
    seen = []
    started, unix = time.monotonic_ns(), time.time_ns()
    for n in range(6):
        chip.pull(5, (n + 1) % 2)
        seen.append(edges.get(timeout=DEADLINE))
    assert [edge.edge for edge in seen] == ["rising", "falling"] * 3
    assert [(edge.seq, edge.lost) for edge in seen] == [(n, 0) for n in range(1, 7)]
    stamps = [started, *(edge.mono_ns for edge in seen), time.monotonic_ns()]
    assert stamps == sorted(stamps)
    assert all(abs((edge.t_ns - unix) - (edge.mono_ns - started)) < 50_000_000 for edge in seen)


def test_an_edge_of_an_active_low_input_is_logical(gpio: Interface, chip: Any) -> None:
    take(gpio, "5", active_low=True)
    edges = watched(gpio, "5")
    chip.pull(5, 1)
    assert edges.get(timeout=DEADLINE).edge == "falling"


def test_many_lines_are_watched_at_once_and_a_watcher_may_write(gpio: Interface, chip: Any) -> None:
    take(gpio, "17", "output", first=0)
    for n in (5, 6):
        take(gpio, str(n))
    gpio.watch("5", lambda edge: gpio.write("17", edge.raw))
    edges = watched(gpio, "6")
    chip.pull(5, 1)
    until(lambda: chip.value(17) == 1)
    chip.pull(6, 1)
    assert edges.get(timeout=DEADLINE).edge == "rising"


def test_a_burst_says_how_many_edges_were_lost_and_ends_at_the_level_of_the_line(gpio: Interface, burst: Burst) -> None:
    take(gpio, "5")
    seen = burst.happen(gpio)
    assert (seen[-1].seq, sum(edge.lost for edge in seen)) == (42, 42 - 17)
    assert seen[-1].raw == gpio.read("5") == 0
    assert burst.over


@pytest.mark.parametrize(("active_low", "edge"), [(False, "rising"), (True, "falling")])
def test_a_contact_that_bounces_is_one_edge_once_it_has_been_steady_for_the_debounce_period(
    gpio: Interface, chip: Any, active_low: bool, edge: str
) -> None:
    # Long, so that a busy machine that stands still for a while makes no steady line of a bouncing one.
    take(gpio, "5", debounce_period=0.5, active_low=active_low)
    edges, before = watched(gpio, "5"), gpio.read("5")
    for n in range(9):
        chip.pull(5, (n + 1) % 2)
        steady_since = time.monotonic_ns()
        time.sleep(0.005)
        assert gpio.read("5") == before
    seen = edges.get(timeout=DEADLINE)
    assert (seen.edge, seen.seq, seen.lost) == (edge, 1, 0)
    assert gpio.read("5") == 1 - before
    assert seen.mono_ns >= steady_since + 490_000_000
    assert edges.empty()


def test_a_time_is_right_even_when_the_agent_is_held_up_while_it_reads_the_clocks(chip: Any) -> None:
    with make("gpiod", {}, Context(HeldUpClock())) as gpio:
        take(gpio, "5")
        edges = watched(gpio, "5")
        unix, mono = time.time_ns(), time.monotonic_ns()
        chip.pull(5, 1)
        edge = edges.get(timeout=DEADLINE)
        assert abs((edge.t_ns - unix) - (edge.mono_ns - mono)) < 100_000_000


class HeldUpClock(SystemClock):
    """Somebody else gets the processor while Unix time is read, once."""

    def __init__(self) -> None:
        self.pauses = [0.2]

    def unix_ns(self) -> int:
        now = super().unix_ns()
        if self.pauses:
            time.sleep(self.pauses.pop())
        return now


def test_a_watched_line_is_free_the_moment_it_is_closed(gpio: Interface, chip: Any) -> None:
    with gpiod.Chip(f"/dev/{chip.name}") as handle:
        for _ in range(20):
            take(gpio, "5")
            take(gpio, "6")
            edges = watched(gpio, "5")
            watched(gpio, "6")
            chip.pull(5, 1)
            edges.get(timeout=DEADLINE)
            chip.pull(5, 0)
            edges.get(timeout=DEADLINE)
            gpio.close("5")
            assert not handle.get_line_info(5).used
            gpio.close("6")
