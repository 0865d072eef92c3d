"""Reports of inputs on their way to the agent's loop: in order, in batches, and of too many the newest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from piio_agent import batches as batches_module
from piio_agent.batches import BATCH, Batches
from piio_agent.channel import ChannelId
from piio_agent.clock import SystemClock
from piio_agent.loop import Loop
from piio_agent.reports import Reading, Report, Trouble

DOOR, WINDOW = ChannelId("gpio", "5"), ChannelId("gpio", "6")


class Handled:
    """What was handled, and where one batch began and ended."""

    def __init__(self) -> None:
        self.loop = Loop(SystemClock())
        self.reports = Batches(self.loop, self.take, self.together)
        self.batches: list[list[Report]] = []
        self.fails: Callable[[Report], bool] = lambda _: False

    @contextmanager
    def together(self) -> Iterator[None]:
        self.batches.append([])
        yield

    def take(self, report: Report) -> None:
        if self.fails(report):
            raise RuntimeError("for this test")
        self.batches[-1].append(report)

    def all(self) -> list[Report]:
        """Let the loop do everything there is."""
        while self.loop.queued:
            self.loop.drain()
        return [report for batch in self.batches for report in batch]


@pytest.fixture
def handled() -> Handled:
    return Handled()


def readings(*raws: float, channel: ChannelId = DOOR) -> list[Report]:
    return [Reading(channel, raw) for raw in raws]


def put(handled: Handled, reports: list[Any]) -> None:
    for report in reports:
        handled.reports.put(report)


def test_what_came_meanwhile_is_handled_in_one_batch_in_its_order(handled: Handled) -> None:
    reports = [*readings(1, 2), Trouble(DOOR, "broken"), *readings(3)]
    put(handled, reports)
    assert handled.loop.queued == 1
    handled.all()
    assert handled.batches == [reports]


def test_between_batches_it_is_everything_elses_turn(handled: Handled) -> None:
    put(handled, readings(*range(BATCH + 1)))
    handled.loop.post(lambda: handled.batches.append([]))
    assert handled.all() == readings(*range(BATCH + 1))
    assert [len(batch) for batch in handled.batches] == [BATCH, 0, 1]


def test_of_too_many_the_first_and_the_newest_of_each_channel_are_handled_and_the_rest_counted(
    handled: Handled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_module, "MOST_WAITING", 3)
    put(handled, [*readings(0, 1, 2, 3, 4), *readings(7, 8, channel=WINDOW), *readings(5)])
    assert len(handled.reports) == 5
    assert handled.all() == [*readings(0, 1, 2), *readings(8, channel=WINDOW), *readings(5)]
    assert handled.reports.dropped == 3
    put(handled, readings(6))
    assert handled.all()[-1:] == readings(6)


def test_a_mistake_in_one_report_loses_no_other(handled: Handled) -> None:
    handled.fails = lambda report: report == Reading(DOOR, 2)
    put(handled, readings(1, 2, 3))
    assert handled.all() == readings(1, 3)
