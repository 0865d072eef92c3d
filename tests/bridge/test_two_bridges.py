"""Two bridges at once: one leads, the other stands by and takes over; what the first still says changes nothing."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.peers import Board, Bridge, Broker, Peer
from tests.standstill import stopped

WITHIN = 10.0
"""Seconds in which everything is right again after a leader is gone."""

OUTPUT = {"pump": {"interface": "gpio", "channel": "17", "direction": "output"}}


class Stage:
    """A broker, a board with a pump, anna, and as many bridges as a test wants."""

    def __init__(self, folder: Path, stack: ExitStack, database: str = "") -> None:
        self._folder = folder
        self._stack = stack
        self.broker = Broker(folder)
        stack.callback(self.broker.kill)
        self.database = database or f"sqlite:///{folder}/shared.db"

    def bridge(self, name: str, *, database: str = "", leads: bool = True) -> Bridge:
        state = self._folder / name
        state.mkdir()
        bridge = Bridge(self.broker, state, "--database", database or self.database, leads=leads)
        self._stack.callback(bridge.kill)
        return bridge

    def standby(self, name: str) -> Bridge:
        bridge = self.bridge(name, leads=False)
        bridge.wait_logged("stands by: another bridge leads")
        return bridge

    def people(self) -> None:
        self.board = Board(self.broker, "bench")
        self._stack.callback(self.board.close)
        self.anna = Peer(self.broker, "piio/#")
        self._stack.callback(self.anna.close)
        self.anna.wait("piio/bench/config", lambda payload: b'"revision":0' in payload)
        self.configure(OUTPUT)
        self.anna.wait("piio/bench/config/applied", lambda payload: b"pump" in payload)
        self.board.raw("gpio/17", "0")
        self.anna.wait("piio/bench/quality/pump", b"good".__eq__)

    def beacon(self) -> Any:
        """The next beacon of who leads."""
        return json.loads(self.anna.wait("piio/bridge/beacon", since=self.anna.mark()))

    def configure(self, points: Any) -> int:
        answer = self.anna.request("piio/bench/config/set", {"patch": {"points": points}, "by": "anna"})
        assert answer["ok"], answer
        return int(answer["revision"])

    def config(self) -> Any:
        return json.loads(self.anna.last("piio/bench/config") or b"{}")

    def set(self, value: int, **more: Any) -> Any:
        """Set the pump with the echo of the newest beacon; what became of it."""
        beacon = self.beacon()
        echo = {key: beacon[key] for key in ("boot", "connection", "tick")}
        id = f"set-{time.monotonic_ns()}"
        self.anna.publish("piio/bench/value/pump/set", {"value": value, "id": id, "beacon": echo, **more}, qos=0)
        wanted = f'"id":"{id}"'.encode()
        return json.loads(self.anna.wait("piio/bench/value/pump/result", lambda payload: wanted in payload))

    def all_right_within(self, since: int, begun: float, epoch: int) -> None:
        """Wait until another epoch leads, the pump is good by its word and can be switched."""
        text = f'"epoch":{epoch}'.encode()
        self.anna.wait("piio/bridge/beacon", lambda payload: text in payload, since)
        self.anna.wait("piio/bench/config", lambda payload: text in payload, since)
        self.anna.wait("piio/bridge/status", b"online".__eq__, since)
        self.anna.wait("piio/bench/quality/pump", b"good".__eq__, since)
        assert self.set(1)["status"] == "done"
        assert time.monotonic() - begun < WITHIN


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(tmp_path, stack)


def test_a_leader_that_is_killed_is_followed_by_who_stands_by(stage: Stage) -> None:
    first = stage.bridge("first")
    stage.people()
    stage.standby("second")
    epoch, mark, begun = stage.config()["epoch"], stage.anna.mark(), time.monotonic()
    first.kill()
    stage.all_right_within(mark, begun, epoch + 1)
    assert stage.config()["points"]["pump"]["channel"] == "17"
    assert stage.config()["revision"] == 1


def test_a_leader_that_stops_gives_the_lease_back(stage: Stage) -> None:
    first = stage.bridge("first")
    stage.people()
    stage.standby("second")
    epoch, mark, begun = stage.config()["epoch"], stage.anna.mark(), time.monotonic()
    assert first.stop() == 0
    stage.all_right_within(mark, begun, epoch + 1)


def test_nothing_of_a_leader_that_stood_still_acts_after_another_took_over(stage: Stage) -> None:
    first = stage.bridge("first")
    stage.people()
    stage.standby("second")
    epoch, mark, begun = stage.config()["epoch"], stage.anna.mark(), time.monotonic()
    with stopped(first.process.pid):
        # For the one that stands still: a set, and a change whose answer nobody waits for.
        stage.anna.publish("piio/bench/value/pump/set", "1", qos=0)
        late = {"patch": {"points": {"pump": {"label": "late"}}}, "by": "anna"}
        stage.anna.publish("piio/bench/config/set", late)
        stage.all_right_within(mark, begun, epoch + 1)
        assert time.monotonic() - begun < 8, "it is the beat that tells, before the silence at the broker does"
        revision = stage.configure({"pump": {"label": "new"}})
        writes = len(stage.board.writes)
        mark = stage.anna.mark()
    first.wait_logged("leads no more: another bridge took over")
    first.wait_logged(f"stands by: another bridge leads (epoch {epoch + 1})")
    assert stage.set(0)["status"] == "done"
    assert [write["epoch"] for write in stage.board.writes[writes:]] == [epoch + 1]
    config = stage.config()
    assert (config["revision"], config["epoch"], config["points"]["pump"]["label"]) == (revision, epoch + 1, "new")
    epochs = {json.loads(beacon)["epoch"] for beacon in stage.anna.heard_on("piio/bridge/beacon", mark)}
    assert epochs == {epoch + 1}
    assert b"offline" not in stage.anna.heard_on("piio/bridge/status", mark)


def test_a_lone_bridge_that_stood_still_leads_on_and_answers_what_waited_for_it(stage: Stage) -> None:
    only = stage.bridge("only")
    stage.people()
    epoch, mark = stage.config()["epoch"], stage.anna.mark()
    with stopped(only.process.pid):
        stage.anna.publish("piio/bench/value/pump/set", "1", qos=0)
        time.sleep(6)  # longer than a leader may lead without renewing: time is the subject
    answer = json.loads(stage.anna.wait("piio/bench/value/pump/result", since=mark))
    assert answer["status"] == "expired"
    assert stage.board.writes == []
    stage.anna.wait("piio/bridge/beacon", lambda payload: f'"epoch":{epoch}'.encode() in payload, stage.anna.mark())
    assert "leads no more" not in only.log


def test_a_bridge_with_another_database_stands_back_and_says_what_to_do(stage: Stage, tmp_path: Path) -> None:
    first = stage.bridge("first")
    stage.people()
    beacon = stage.beacon()
    mark = stage.anna.mark()
    stranger = stage.bridge("stranger", database=f"sqlite:///{tmp_path}/other.db", leads=False)
    stranger.wait_logged("another bridge is at work at this broker, with another database")
    stranger.wait_logged("Stop one of the two, or give both the same --database")
    assert stage.set(1)["status"] == "done"
    boots = {json.loads(heard)["boot"] for heard in stage.anna.heard_on("piio/bridge/beacon", mark)}
    assert boots <= {beacon["boot"]}
    assert stage.anna.heard_on("piio/bench/config", mark) == []
    assert "leads no more" not in first.log


def test_an_older_copy_of_the_database_goes_above_what_boards_know(stage: Stage) -> None:
    first = stage.bridge("first")
    stage.people()
    config = stage.config()
    first.kill()
    applied = {key: config[key] for key in ("store", "revision")}
    stage.board.say("config/applied", {**applied, "boot": "boot1", "points": {"pump": {"ok": True}}, "epoch": 41})
    mark = stage.anna.mark()
    first.start()
    stage.anna.wait("piio/bench/config", lambda payload: b'"epoch":42' in payload, mark)
    stage.anna.wait("piio/bridge/beacon", lambda payload: b'"epoch":42' in payload, mark)
    assert stage.set(1)["status"] == "done"
    assert stage.board.writes[-1]["epoch"] == 42


def test_a_leader_that_is_not_at_the_broker_is_followed_by_one_that_is(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Broker(tmp_path / "elsewhere")
    astray = Bridge(elsewhere, tmp_path / "elsewhere", "--database", stage.database)
    try:
        stage.bridge("second")  # which is waited for until it leads
        astray.wait_logged("leads no more: another bridge took over")
    finally:
        astray.kill()
        elsewhere.kill()
