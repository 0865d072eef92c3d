"""What must not be lost when more waits than an agent, or its broker, can take."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from piio_agent import loop as loop_module
from piio_agent.agent import Agent
from piio_agent.channel import ChannelId
from piio_agent.outputs.messages import Outcome

DOOR = {"door": {"interface": "gpio", "channel": "5"}}

Start = Callable[..., Any]


@contextmanager
def overloaded(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let an agent's loop do nothing, and little wait for it, until the end of the block."""
    busy, go_on = threading.Event(), threading.Event()
    agent.loop.post(lambda: busy.set() or (go_on.wait(5) and None))
    assert busy.wait(5)
    with monkeypatch.context() as patch:
        patch.setattr(loop_module, "MOST_WAITING", 3)
        for _ in range(3):
            agent.loop.post(lambda: None)
        try:
            yield
        finally:
            go_on.set()


def test_a_configuration_is_not_lost_among_too_many_messages(
    desk: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = start().agent
    with overloaded(agent, monkeypatch):
        dropped = threading.Semaphore(0)
        monkeypatch.setattr(agent.complaints, "note", lambda *_: dropped.release())
        desk.configure(points=DOOR)
        for _ in range(20):
            desk.publish("sim/gpio/5", "1")
        assert all(dropped.acquire(timeout=5) for _ in range(10)), "there were not too many"
    assert desk.wait_applied(1) == {"door": {"ok": True}}


def test_the_result_of_one_set_never_takes_the_place_of_anothers(
    desk: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = start().agent
    with overloaded(agent, monkeypatch):
        for id in ("one", "two"):
            agent.output_reported(Outcome(id, ChannelId("gpio", "17"), "done"))
    for id in ("one", "two"):
        desk.wait_json("raw/gpio/17/result", lambda document, wanted=id: document["id"] == wanted)


def test_the_raw_of_a_channel_that_is_used_no_more_goes_even_if_the_broker_takes_nothing_just_then(
    desk: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = start().agent
    desk.configure(points=DOOR)
    desk.wait_for("raw/gpio/5", "0")
    tried = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(agent.uplink, "say_raw", lambda *_: tried.set())
        desk.configure(2)
        assert tried.wait(5)
        desk.wait_applied(2)
    desk.wait_for("raw/gpio/5", "")
