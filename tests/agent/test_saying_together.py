"""What an agent has to say at one moment leaves in one piece, in its order; a slow broker hears the newest."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from piio.connection import Connection
from piio_agent.channel import ChannelId
from piio_schemas import topics

LINES = [str(n) for n in range(5, 13)]
DOORS = {f"door{n}": {"interface": "gpio", "channel": n, "events": True} for n in LINES}

Start = Callable[..., Any]


def test_lines_that_change_together_are_all_heard_each_change_in_its_turn(desk: Any, start: Start) -> None:
    agent = start().agent
    desk.configure(points=DOORS)
    desk.wait_applied(1)
    since = desk.now()
    for level in (1, 0, 1, 1, 0, 1):
        for n in LINES:
            agent.inputs["gpio"].simulate(n, level)
    for n in LINES:
        desk.wait(lambda _, n=n: desk.raws(f"gpio/{n}", since) == ["1", "0", "1", "0", "1"], since)
        heard = [topic for topic, _ in desk.lines(since) if topic.endswith(f"gpio/{n}")]
        assert heard == [f"event/gpio/{n}", f"raw/gpio/{n}"] * 5


def test_what_is_said_with_a_receipt_and_without_keeps_its_order(desk: Any, start: Start) -> None:
    agent = start().agent
    since = desk.now()

    def say() -> None:
        with agent.uplink.together():
            for number in range(3):
                agent.uplink.say_raw(ChannelId("gpio", "5"), float(number))
                agent.uplink.say(topics.RAW_RESULT, b"%d" % number, interface="gpio", channel="5")

    agent.loop.post(say)
    desk.wait_for("raw/gpio/5/result", "2", since)
    heard = [(topic, number) for topic, number in desk.lines(since) if "/gpio/5" in topic]
    assert heard == [(topic, number) for number in "012" for topic in ("raw/gpio/5", "raw/gpio/5/result")]


def test_a_broker_that_takes_nothing_for_a_while_hears_the_newest_of_each_afterwards(
    desk: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = start().agent
    desk.configure(points=DOORS)
    desk.wait_applied(1)
    since, kept, done = desk.now(), len(agent.backlog), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "room", 0)
        for level in (1, 0, 1):
            for n in LINES:
                agent.inputs["gpio"].simulate(n, level)
        while len(agent.backlog) < kept + 3 * len(LINES):
            assert not done.wait(0.01)
        agent.loop.post(done.set)
        assert done.wait(5)
    assert agent.uplink.dropped >= 3 * len(LINES)
    for n in LINES:
        desk.wait_for(f"raw/gpio/{n}", "1", since)
        assert desk.raws(f"gpio/{n}", since) == ["1"]
