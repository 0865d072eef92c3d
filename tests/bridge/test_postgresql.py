"""Bridges whose database is PostgreSQL: what they keep, who leads, and what happens when the server is gone."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.peers import PATIENCE, Peer
from tests.bridge.test_two_bridges import Stage
from tests.postgresql import PostgreSQL
from tests.standstill import stopped

TANK = {"tank": {"interface": "adc", "channel": "0"}}


@pytest.fixture
def stage(tmp_path: Path, postgresql: PostgreSQL) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(tmp_path, stack, postgresql.database())


def read(stage: Stage, *values: int) -> None:
    """Have the board read values, each of which becomes one of the tank's."""
    for value in values:
        since = stage.anna.mark()
        stage.board.raw("adc/0", str(value))
        stage.anna.wait("piio/bench/value/tank", str(value).encode().__eq__, since)


def kept(stage: Stage) -> set[float]:
    """The least and the greatest values of the tank that the history has."""
    now = time.time()
    wanted = {"point": "tank", "start": now - 300, "end": now + 60, "buckets": 1000}
    buckets = stage.anna.request("piio/bench/request/history", wanted)["buckets"]
    return {value for bucket in buckets for value in bucket[1:3]}


def audited(stage: Stage) -> list[tuple[str, str]]:
    answer = stage.anna.request("piio/bench/request/audit", {})
    return [(entry["what"], entry["outcome"]) for entry in answer["entries"]]


def test_who_stands_by_takes_over_from_a_leader_that_is_killed_with_all_that_it_kept(stage: Stage) -> None:
    first = stage.bridge("first")
    stage.people()
    revision = stage.configure(TANK)
    read(stage, 5)
    assert stage.set(1)["status"] == "done"
    assert kept(stage) == {5}
    assert audited(stage)[0] == ("set", "done")
    stage.standby("second")
    epoch, mark, begun = stage.config()["epoch"], stage.anna.mark(), time.monotonic()
    first.kill()
    stage.all_right_within(mark, begun, epoch + 1)
    assert stage.config()["revision"] == revision
    answer = stage.anna.request("piio/bench/request/revisions", {})
    assert [each["revision"] for each in answer["revisions"]] == list(range(revision, -1, -1))
    assert kept(stage) == {5}
    assert ("config", "done") in audited(stage)


def test_nothing_of_a_leader_that_stood_still_acts_after_another_took_over(stage: Stage) -> None:
    first = stage.bridge("first")
    stage.people()
    stage.standby("second")
    epoch, mark, begun = stage.config()["epoch"], stage.anna.mark(), time.monotonic()
    with stopped(first.process.pid):
        late: Any = {"patch": {"points": {"pump": {"label": "late"}}}, "by": "anna"}
        stage.anna.publish("piio/bench/config/set", late)
        stage.all_right_within(mark, begun, epoch + 1)
        revision = stage.configure({"pump": {"label": "new"}})
    first.wait_logged("leads no more: another bridge took over")
    first.wait_logged(f"stands by: another bridge leads (epoch {epoch + 1})")
    config = stage.config()
    assert (config["revision"], config["epoch"], config["points"]["pump"]["label"]) == (revision, epoch + 1, "new")


def test_two_bridges_that_start_at_once_make_the_tables_once_and_one_leads(stage: Stage) -> None:
    first, second = (stage.bridge(name, leads=False) for name in ("first", "second"))
    listener = Peer(stage.broker, "piio/bridge/beacon")
    listener.wait("piio/bridge/beacon", timeout=3 * PATIENCE)
    listener.close()
    stage.people()
    assert stage.set(1)["status"] == "done"
    assert sum("stands by: another bridge leads" in bridge.log for bridge in (first, second)) == 1
    assert [bridge.process.poll() for bridge in (first, second)] == [None, None]


def test_while_the_server_is_gone_nobody_is_answered_falsely_and_afterwards_nothing_is_missing(tmp_path: Path) -> None:
    with PostgreSQL() as server, ExitStack() as stack:
        stage = Stage(tmp_path, stack, server.database())
        bridge = stage.bridge("only")
        stage.people()
        revision = stage.configure(TANK)
        read(stage, 5)
        server.kill()
        answer = stage.anna.request("piio/bench/config/set", {"patch": {"points": {"pump": {"label": "no"}}}})
        assert not answer["ok"]
        assert "nothing was done" in answer["errors"][0]["message"]
        read(stage, 6, 7)
        mark = stage.anna.mark()
        server.start()
        stage.anna.wait("piio/bridge/beacon", since=mark)
        assert stage.configure({"pump": {"label": "yes"}}) == revision + 1
        until = time.monotonic() + 10
        while not {5, 7} <= (values := kept(stage)):
            assert time.monotonic() < until, (values, bridge.log)


@pytest.mark.parametrize(("url", "said"), [
    ("postgresql://piio:secret@127.0.0.1:1/piio", "Try: psql 'postgresql://piio:***@127.0.0.1:1/piio'"),
    ("mysql://somewhere/piio", "it is neither SQLite nor PostgreSQL, but mysql"),
    ("bridge.db", "is not a database's URL, such as sqlite:///bridge.db"),
])  # fmt: skip
def test_a_database_that_cannot_be_used_is_named_with_what_to_type(url: str, said: str) -> None:
    done = start("", url)
    assert done.returncode == 1
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_driver_is_named_with_what_to_type() -> None:
    done = start("sys.modules['psycopg'] = None", "postgresql://piio@127.0.0.1:1/piio")
    assert done.returncode == 1
    assert "pip install 'piio[postgresql]'" in done.stderr


def start(before: str, url: str) -> "subprocess.CompletedProcess[str]":
    """Start a bridge that has no broker; it does not come that far."""
    code = f"import sys; {before or 'pass'}; from piio.command import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "bridge", "--url", "mqtt://bridge@127.0.0.1:1", "--database", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
