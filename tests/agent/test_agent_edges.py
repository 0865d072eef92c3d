"""Edges at the broker: one message each while they are few, blocks while they are many; in order, none twice."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from piio_agent.hardware import InterfaceSettings
from piio_schemas.blocks import edges_of, read_block

BUTTON = {"interface": "gpio", "channel": "5", "events": True}

Start = Callable[..., Any]


class Told:
    """What was said of a line's edges, in the order in which it was said."""

    def __init__(self, desk: Any, since: int = 0) -> None:
        self.edges: list[tuple[int, int]] = []
        """Time and level."""
        self.lost: list[int] = []
        self.events = self.blocks = 0
        for message in desk.heard[since:]:
            if message.topic == f"piio/{desk.agent}/event/gpio/5":
                event = msgspec.json.decode(message.payload)
                self.edges.append((event["t_ns"], int(event["edge"] == "rising")))
                self.lost.append(event["lost"])
                self.events += 1
            elif message.topic == f"piio/{desk.agent}/block/gpio/5":
                block = read_block(message.payload)
                self.edges += [(edge.t_ns, edge.level) for edge in edges_of(block)]
                self.lost.append(block.lost)
                self.blocks += 1


def wait_told(desk: Any, wanted: Callable[[Told], Any], since: int = 0) -> Told:
    desk.wait(lambda message: message.topic.endswith("/gpio/5") and wanted(Told(desk, since)), since)
    return Told(desk, since)


@pytest.fixture
def line(desk: Any, start: Start) -> Callable[[int, float], None]:
    """Toggle line 5 so many times, after so many seconds each; it ends as it began if they are even."""
    interface = start().agent.hardware.interfaces["gpio"]
    desk.configure(points={"button": BUTTON})
    desk.wait_for("raw/gpio/5", "0")
    level = 0

    def toggle(times: int, spacing: float = 0.0) -> None:
        nonlocal level
        for _ in range(times):
            if spacing:
                threading.Event().wait(spacing)
            level = 1 - level
            interface.simulate("5", level)

    return toggle


def test_a_burst_of_edges_comes_in_blocks_in_order_and_whole(desk: Any, line: Callable[..., None]) -> None:
    line(2001)
    told = wait_told(desk, lambda told: len(told.edges) >= 2001)
    assert [level for _, level in told.edges] == [1, 0] * 1000 + [1]
    times = [t_ns for t_ns, _ in told.edges]
    assert times == sorted(times)
    assert set(told.lost) == {0}
    # Once the first were too many; a busy machine may spread the burst, so that some are few in between.
    assert told.blocks >= 1 and told.events + told.blocks < 500
    # The raw does not stay behind, and comes far more rarely than the edges.
    desk.wait(lambda _: desk.raws("gpio/5")[-1] == "1")
    assert len(desk.raws("gpio/5")) < 500


def test_after_a_burst_edges_come_one_by_one_again(desk: Any, line: Callable[..., None]) -> None:
    line(400)
    wait_told(desk, lambda told: len(told.edges) >= 400)
    threading.Event().wait(0.3)
    since = desk.now()
    line(10, 0.02)
    told = wait_told(desk, lambda told: len(told.edges) >= 10, since)
    assert (told.events, told.blocks, set(told.lost)) == (10, 0, {0})
    desk.wait(lambda _: desk.raws("gpio/5", since) == ["1", "0"] * 5)


def test_edges_every_5_ms_are_no_burst(desk: Any, line: Callable[..., None]) -> None:
    line(200, 0.005)
    told = wait_told(desk, lambda told: len(told.edges) >= 200)
    assert (told.events, told.blocks, set(told.lost)) == (200, 0, {0})


def test_of_a_burst_on_a_line_whose_edges_nobody_wants_the_newest_raw_is_told_now_and_then(
    desk: Any, start: Start
) -> None:
    interface = start().agent.hardware.interfaces["gpio"]
    desk.configure(points={"button": BUTTON | {"events": False}})
    desk.wait_for("raw/gpio/5", "0")
    for n in range(301):
        interface.simulate("5", (n + 1) % 2)
    # After it, a change is told at once again: a lone one after the windows of the burst.
    desk.wait(lambda message: message.topic.endswith("raw/gpio/5") and len(desk.raws("gpio/5")) > 50)
    desk.wait(lambda _: desk.raws("gpio/5")[-1] == "1")
    assert len(desk.raws("gpio/5")) < 120
    assert not Told(desk).edges


DROPS = """
from piio_agent.interfaces import Channel, Edge, Interface

class Drops(Interface):
    name = "drops"
    title = "Lines whose driver loses edges"
    def channels(self):
        return {"5": Channel("5", ("input",), "digital", edges=True)}
    def open(self, channel, direction, settings, first=None):
        pass
    def read(self, channel):
        return 0.0
    def watch(self, channel, on_edge):
        self.on_edge = on_edge
    def close(self, channel):
        pass
    def burst(self, begin, numbers, lost):
        for n in numbers:
            self.on_edge(Edge("rising" if n % 2 else "falling", begin + n * 1000, n * 1000, n, lost.get(n, 0)))
"""


def test_edges_that_were_lost_are_counted_in_what_comes_next(desk: Any, start: Start, tmp_path: Any) -> None:
    folder = tmp_path / "drivers"
    folder.mkdir()
    (folder / "drops.py").write_text(DROPS)
    running = start(folders=(folder,), interfaces={"gpio": InterfaceSettings("drops", {})})
    desk.configure(points={"button": BUTTON})
    desk.wait_for("raw/gpio/5", "0")
    driver = running.agent.hardware.interfaces["gpio"]
    # Two before the first, three among those in blocks, and four that the driver does not speak of.
    driver.burst(10**18, [n for n in range(3, 1000) if n not in (500, 501, 502, 600, 601, 602, 603)], {3: 2, 503: 3})
    told = wait_told(desk, lambda told: len(told.edges) >= 990)
    assert len(told.edges) == 990
    assert told.lost[0] == 2 and sum(told.lost) == 9
    assert [t_ns for t_ns, _ in told.edges] == sorted(t_ns for t_ns, _ in told.edges)
    assert told.edges[-1] == (10**18 + 999_000, 1)
