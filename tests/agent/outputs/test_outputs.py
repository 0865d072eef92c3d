"""The outputs of each interface are on a thread of their own: what one driver does is no other's concern."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from piio_agent.channel import ChannelId
from piio_agent.clock import ManualClock, SystemClock
from piio_agent.interfaces.contract import Context
from piio_agent.interfaces.door import make
from piio_agent.interfaces.simulation.board import Board
from piio_agent.outputs.messages import Became, Heard, Open, Order, Outcome, Policies, Report, StopAll
from piio_agent.outputs.outputs import Outputs
from piio_agent.storage import LastOutputs
from piio_schemas.configuration import Interlock
from tests.agent.outputs.bench import FAN, LAMP, VALVE, each_of

PATIENCE = 8.0


class Desk:
    """Outputs at work on two boards, and what they report."""

    def __init__(self, clock: SystemClock | ManualClock, file: Path | None = None) -> None:
        self.clock = clock
        contexts = {name: Context(clock) for name in ("gpio", "relays")}
        self.drivers = {name: make("simulated", {"part": "gpio"}, context) for name, context in contexts.items()}
        self.boards = {name: Board.of(context) for name, context in contexts.items()}
        self.reports: list[Report] = []
        self._news = threading.Condition()
        self.outputs = Outputs(self.drivers, clock, LastOutputs(file, clock), self._hear)
        self.outputs.start()
        self._ids = iter(range(100_000))

    def _hear(self, report: Report) -> None:
        with self._news:
            self.reports += each_of(report)
            self._news.notify_all()

    def wait(self, wanted: Callable[[Report], bool]) -> Report:
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.reports)), PATIENCE), self.reports[-10:]
            return next(filter(wanted, self.reports))

    def send(self, raw: float, channel: ChannelId) -> str:
        id = str(next(self._ids))
        assert self.outputs.send(Order(id, channel, raw, self.clock.boottime() + 5))
        return id

    def outcome(self, id: str) -> Outcome:
        found = self.wait(lambda report: isinstance(report, Outcome) and report.id == id)
        assert isinstance(found, Outcome)
        return found

    def order(self, raw: float, channel: ChannelId) -> Outcome:
        return self.outcome(self.send(raw, channel))

    def open(self, channel: ChannelId, **policies: object) -> None:
        self.outputs.send(Open(channel, {}, Policies(**policies), channel.interface))  # type: ignore[arg-type]
        self.wait(lambda report: isinstance(report, Became) and report.channel == channel)

    def level(self, channel: ChannelId) -> int:
        return self.boards[channel.interface].gpio.level(channel.channel)


class Jam:
    """Makes a driver hang while it writes, until it is let go."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, interface: str = "gpio") -> None:
        self.jammed, self._open = threading.Event(), threading.Event()
        write = desk.drivers[interface].write

        def hang(channel: str, raw: float) -> None:
            self.jammed.set()
            self._open.wait(PATIENCE)
            write(channel, raw)

        monkeypatch.setattr(desk.drivers[interface], "write", hang)

    def let_go(self) -> None:
        self._open.set()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(SystemClock())
    yield made
    made.outputs.stop(PATIENCE)


@pytest.fixture
def jam(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jam]:
    desk.open(LAMP)
    desk.open(FAN)
    desk.open(VALVE)
    made = Jam(desk, monkeypatch)
    yield made
    made.let_go()


def test_a_driver_that_hangs_holds_up_its_own_outputs_alone(desk: Desk, jam: Jam) -> None:
    stuck = desk.send(1, LAMP)
    assert jam.jammed.wait(PATIENCE)
    assert [desk.order(raw, VALVE).status for raw in (1, 0, 1)] == ["done"] * 3
    assert not any(isinstance(report, Outcome) and report.id == stuck for report in desk.reports)
    jam.let_go()
    assert desk.outcome(stuck).status == "done"


def test_what_a_driver_that_hangs_may_have_switched_on_keeps_its_group(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for channel in (LAMP, VALVE):
        desk.open(channel, interlock=Interlock("g"))
    jam = Jam(desk, monkeypatch)
    desk.send(1, LAMP)
    assert jam.jammed.wait(PATIENCE)
    assert desk.order(1, VALVE).reason == "interlock 'g': 'gpio' is on"
    jam.let_go()


def test_a_stop_says_which_driver_hangs_and_leaves_the_others_safe(
    desk: Desk, jam: Jam, caplog: pytest.LogCaptureFixture
) -> None:
    desk.order(1, VALVE)
    desk.send(1, LAMP)
    assert jam.jammed.wait(PATIENCE)
    assert not desk.outputs.stop(0.3)
    assert desk.level(VALVE) == 0
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "the driver of 'gpio' hangs: its outputs could not be driven safe"
    ]
    jam.let_go()
    assert desk.outputs.stop(PATIENCE)
    assert desk.level(LAMP) == 0


def test_a_stop_waits_for_all_drivers_together(desk: Desk, jam: Jam, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Jam(desk, monkeypatch, "relays")
    for each, channel in ((jam, LAMP), (other, VALVE)):
        desk.send(1, channel)
        assert each.jammed.wait(PATIENCE)
    begin = time.monotonic()
    assert not desk.outputs.stop(0.4)
    assert 0.4 <= time.monotonic() - begin < 0.7
    other.let_go()


def test_a_stop_of_all_overtakes_the_orders_that_wait_for_a_slow_driver(desk: Desk, jam: Jam) -> None:
    desk.order(1, VALVE)
    first = desk.send(1, LAMP)
    assert jam.jammed.wait(PATIENCE)
    waiting = [desk.send(1, FAN), desk.send(0, LAMP), desk.send(1, LAMP)]
    assert desk.outputs.send(StopAll("bert"))
    assert desk.outputs.send(StopAll("anna"))
    desk.wait(lambda report: report == Became(VALVE, 0, "stopped by anna", getattr(report, "last_fail_safe", None)))
    jam.let_go()
    assert desk.outcome(first).status == "done"
    outcomes = [desk.outcome(id) for id in waiting]
    assert {(outcome.status, outcome.reason) for outcome in outcomes} == {("refused", "stopped by anna")}
    desk.wait(lambda report: isinstance(report, Became) and report.channel == FAN and report.fail_safe is not None)
    assert [desk.level(channel) for channel in (LAMP, FAN, VALVE)] == [0, 0, 0]
    assert [entry.level for entry in desk.boards["gpio"].trace.changes("18")] == []


def test_a_beacon_of_the_bridge_is_heard_by_all() -> None:
    desk = Desk(ManualClock())
    assert isinstance(desk.clock, ManualClock)
    for channel in (LAMP, VALVE):
        desk.open(channel, lease=2)
        assert desk.order(1, channel).status == "done"
    for _ in range(3):
        desk.clock.advance(1.5)
        desk.outputs.send(Heard())
        # An order that changes nothing: when it is done, the beacon before it was heard.
        assert [desk.order(1, channel).read for channel in (LAMP, VALVE)] == [1, 1]
    desk.clock.advance(2.1)
    for channel in (LAMP, VALVE):
        desk.wait(lambda report, channel=channel: report.channel == channel and bool(getattr(report, "fail_safe", "")))  # type: ignore[misc]
    assert desk.outputs.stop(PATIENCE)


def test_an_order_for_an_interface_that_is_not_there_is_not_taken(desk: Desk) -> None:
    assert not desk.outputs.send(Order("1", ChannelId("nowhere", "1"), 1, 0))


def test_threads_that_contend_for_a_group_never_have_two_on(desk: Desk) -> None:
    for channel in (LAMP, VALVE):
        desk.open(channel, interlock=Interlock("g"))
    statuses: dict[ChannelId, set[str]] = {LAMP: set(), VALVE: set()}

    begin = threading.Barrier(2)

    def contend(channel: ChannelId) -> None:
        begin.wait()
        for n in range(300):
            statuses[channel].add(desk.order(n % 2, channel).status)

    threads = [threading.Thread(target=contend, args=(channel,)) for channel in (LAMP, VALVE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changes = sorted(
        (entry.mono_ns, bool(entry.level), channel)
        for channel in (LAMP, VALVE)
        for entry in desk.boards[channel.interface].trace.changes(channel.channel)
    )
    on: set[ChannelId] = set()
    for _, level, channel in changes:
        on = on | {channel} if level else on - {channel}
        assert len(on) < 2
    assert statuses[LAMP] | statuses[VALVE] == {"done", "refused"}


def test_a_card_that_hangs_holds_no_output_up_and_has_the_last_state_at_the_end(tmp_path: Path) -> None:
    card = tmp_path / "outputs.new"
    os.mkfifo(card)  # whoever opens it to write waits until somebody reads
    desk = Desk(SystemClock(), tmp_path / "outputs.json")
    desk.open(LAMP, on_start="last", on_lost="hold")
    for level in (1, 0):
        assert desk.order(level, LAMP).status == "done"
    card.read_bytes()  # waits for who writes first, if that is not there yet
    assert desk.order(1, LAMP).status == "done"
    assert desk.outputs.stop(PATIENCE)
    assert LastOutputs(tmp_path / "outputs.json", desk.clock).recall(LAMP) == 1
