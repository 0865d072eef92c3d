"""A stop goes before everything that waits, and nothing that was asked before it acts after it."""

import threading
from collections.abc import Iterator

import pytest

from piio_agent.outputs.messages import Became, Change, Open, Order, Outcome, Policies, StopAll
from piio_agent.outputs.runner import Runner
from tests.agent.outputs.bench import FAN, LAMP, Bench

NEVER = 1e9


@pytest.fixture
def jam(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A driver that hangs in its next write until it is let free."""
    free, write = threading.Event(), bench.gpio.write

    def hang(channel: str, raw: float) -> None:
        assert free.wait(8)
        write(channel, raw)

    monkeypatch.setattr(bench.gpio, "write", hang)
    yield free
    free.set()


def order(id: str, raw: float = 1, echoes: float | None = None) -> Order:
    return Order(id, LAMP, raw, NEVER, echoes=echoes)


def test_it_overtakes_what_waits_and_orders_that_waited_are_refused(bench: Bench, jam: threading.Event) -> None:
    bench.open(LAMP)
    runner = Runner(bench.engines["gpio"], bench.clock)
    runner.start()
    for id in ("running", "waiting", "too"):
        assert runner.send(order(id))
    while len(runner._waiting) > 2:
        threading.Event().wait(0.01)
    runner.send(Change(LAMP, Policies(on_lost="on")))
    runner.send(Open(FAN, {}, Policies(on_start="on")))
    runner.send(StopAll("anna", at=5.0))
    runner.send(order("after"))
    jam.set()
    assert runner.stop(8)
    outcomes = {each.id: (each.status, each.reason) for each in bench.reports if isinstance(each, Outcome)}
    refused = ("refused", "stopped by anna")
    assert outcomes == {"running": ("done", ""), "waiting": refused, "too": refused, "after": ("done", "")}
    # What was opened while it waited is stopped, too, and no policy that came later decides what is safe.
    assert bench.levels(LAMP)[:3] == [1, 0, 1]
    fans = [each for each in bench.reports if isinstance(each, Became) and each.channel == FAN]
    assert [(each.raw, each.fail_safe) for each in fans][:2] == [(1, None), (0, "stopped by anna")]


def test_an_order_that_may_have_been_asked_before_it_is_refused_and_the_next_acts(bench: Bench) -> None:
    bench.open(LAMP)
    bench.tell(StopAll("anna", at=100.0))
    bench.tell(order("before", echoes=99.9))
    bench.tell(order("after", echoes=100.0))
    outcomes = [each for each in bench.reports if isinstance(each, Outcome)]
    assert [(each.id, each.status, each.reason) for each in outcomes] == [
        ("before", "refused", "stopped by anna"),
        ("after", "done", ""),
    ]
    assert bench.levels(LAMP) == [1]


def test_one_that_is_passed_on_stops_what_came_between_and_leaves_the_rest(bench: Bench) -> None:
    bench.open(LAMP)
    bench.open(FAN)
    bench.tell(StopAll("anna", at=100.0))
    bench.tell(order("between", echoes=100.0))
    bench.reports.clear()
    bench.clock.advance(1)
    bench.tell(StopAll("anna"))
    became = [each for each in bench.reports if isinstance(each, Became)]
    assert [(each.channel, each.raw, each.fail_safe) for each in became] == [(LAMP, 0, "stopped by anna")]
    bench.tell(order("after", echoes=100.0))
    assert bench.levels(LAMP) == [1, 0, 1]
