"""A database that is full or locked is a reason that people are told; the bridge lives on and recovers by itself."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.peers import Board, Bridge, Broker, Peer

OUTPUT = {"pump": {"interface": "gpio", "channel": "17", "direction": "output"}}


def locked(state: Path) -> sqlite3.Connection:
    """Hold the whole database, as a stranger's tool does."""
    connection = sqlite3.connect(state / "bridge.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def change(anna: Peer, points: Any) -> Any:
    return anna.request("piio/bench/config/set", {"patch": {"points": points}, "by": "anna"})


@contextmanager
def people(broker: Broker) -> Iterator[tuple[Board, Peer]]:
    board, anna = Board(broker, "bench"), Peer(broker, "piio/#")
    try:
        anna.wait("piio/bench/config", lambda payload: b'"revision":0' in payload)
        assert change(anna, OUTPUT)["ok"]
        board.raw("gpio/17", "0")
        anna.wait("piio/bench/quality/pump", b"good".__eq__)
        yield board, anna
    finally:
        board.close()
        anna.close()


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of each test's own: another database's configuration must not be found there."""
    started = Broker(tmp_path_factory.mktemp("broker"))
    yield started
    started.kill()


@pytest.fixture
def bridge(broker: Broker, tmp_path: Path) -> Iterator[Bridge]:
    started = Bridge(broker, tmp_path)
    yield started
    started.kill()


def test_a_change_that_a_locked_database_does_not_take_is_refused_with_the_reason(bridge: Bridge) -> None:
    with people(bridge.broker) as (_, anna):
        with closing(locked(bridge.state)):
            answer = change(anna, {"pump": {"label": "new"}})
        assert not answer["ok"]
        assert "database is locked" in answer["errors"][0]["message"]
        assert "nothing was done" in answer["errors"][0]["message"]
        assert b"new" not in (anna.last("piio/bench/config") or b"")
        assert change(anna, {"pump": {"label": "now"}})["revision"] == 2


def test_a_bridge_whose_database_is_locked_for_long_does_nothing_and_leads_on_afterwards(bridge: Bridge) -> None:
    with people(bridge.broker) as (_, anna):
        with closing(locked(bridge.state)):
            bridge.wait_logged("the lease could not be renewed")
            silent_since = anna.mark()
            while True:  # until a beacon is missing: it may not lead any more
                try:
                    anna.wait("piio/bridge/beacon", since=silent_since, timeout=2.5)
                except AssertionError:
                    break
                silent_since = anna.mark()
        mark = anna.mark()
        anna.wait("piio/bridge/beacon", since=mark)
        anna.wait("piio/bench/quality/pump", b"good".__eq__)
        assert change(anna, {"pump": {"label": "now"}})["revision"] == 2
        assert "leads no more" not in bridge.log


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_stops_no_machine_and_loses_no_acknowledged_change(broker: Broker, tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path], check=True)
    try:
        bridge = Bridge(broker, tmp_path)
        try:
            with people(broker) as (board, anna):
                _fill_and_recover(bridge, board, anna)
        finally:
            bridge.kill()
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


def _fill_and_recover(bridge: Bridge, board: Board, anna: Peer) -> None:
    ballast = bridge.state / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    revision, refusal, wide = 1, None, "x" * 60
    for attempt in range(60):
        points = {f"p{n}": {"interface": "adc", "channel": "0", "label": f"{wide}{attempt}"} for n in range(40)}
        answer = change(anna, points)
        if not answer["ok"]:
            refusal = answer["errors"][0]["message"]
            break
        revision = answer["revision"]
    assert refusal is not None, "the disk never became full"
    assert "full" in refusal
    bridge.wait_for_plain_sets()
    anna.publish("piio/bench/value/pump/set", "1", qos=0)
    anna.wait("piio/bench/value/pump/result", lambda payload: b'"done"' in payload)
    assert board.writes
    ballast.unlink()
    answer = change(anna, {"pump": {"label": "room"}})
    assert answer["revision"] == revision + 1
    bridge.kill()
    mark = anna.mark()
    bridge.start()
    anna.wait("piio/bench/config", lambda payload: f'"revision":{revision + 1}'.encode() in payload, mark)
