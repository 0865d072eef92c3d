"""What the store does with configurations, boards and points: the same on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from piio_bridge.clock import SystemClock
from piio_bridge.leadership import Leadership
from piio_bridge.store.configurations import Configurations
from piio_bridge.store.database import open_database
from piio_bridge.store.history import History
from piio_bridge.store.lease import Lease

DOCUMENT: dict[str, Any] = {"points": {"tank": {"label": "Käse \N{GRINNING FACE} \x00"}}}


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_database(database)
    yield opened
    opened.dispose()


@pytest.fixture
def configurations(engine: Engine) -> Configurations:
    """Those of a bridge that leads."""
    lease = Lease(engine)
    held = lease.take(lease.look())
    assert held is not None
    return Configurations(engine, Leadership(lease, held, 0.0, SystemClock(), asyncio.Event()))


def test_every_revision_is_given_back_as_it_was(configurations: Configurations) -> None:
    for number in range(3):
        configurations.add("demo", {**DOCUMENT, "n": number}, by="anna")
    configurations.add("demo", DOCUMENT, by="otto", at_least=10)
    newest, older = configurations.newest(["demo", "other"]), configurations.revision("demo", 1)
    assert list(newest) == ["demo"] and older is not None
    assert (newest["demo"].revision, newest["demo"].by, newest["demo"].document) == (10, "otto", DOCUMENT)
    assert older.document == {**DOCUMENT, "n": 1}
    assert [each.revision for each in configurations.revisions("demo")] == [10, 2, 1, 0]
    assert [number for number, _ in configurations.newest_documents("demo", 2)] == [10, 2]


def test_boards_and_removed_topics_are_remembered(configurations: Configurations) -> None:
    for capabilities in ("{}", '{"a":1}'):
        configurations.keep_capabilities({"demo": capabilities, "bench": "{}"})
    assert configurations.boards("", 10) == {"bench": "{}", "demo": '{"a":1}'}
    assert list(configurations.boards("bench", 10)) == ["demo"]
    long = f"{'deep/' * 100}demo/value/tank"
    configurations.add("demo", DOCUMENT, by="", removed=[long, "piio/demo/value/pump"])
    configurations.add("demo", DOCUMENT, by="", removed=[long], revived=["piio/demo/value/pump"])
    assert configurations.removed_topics() == [long]
    configurations.raise_epoch(41)
    assert configurations.epoch == 41


def test_a_point_with_another_name_keeps_its_history_and_a_forgotten_board_leaves_none(
    engine: Engine, configurations: Configurations
) -> None:
    history = History(engine)
    history.keep([("demo", "tank", 1_000, 1.0), ("demo", "pump", 1_000, 2.0)])
    history.vouch("demo", "tank", 2_000, False)
    history.flush()
    configurations.add("demo", DOCUMENT, by="", renamed={"tank": "pump"})
    history.forget_ids()
    assert history.buckets("demo", "tank", 0, 5, 1) == []
    assert history.buckets("demo", "pump", 0, 5, 1) == [(0, 1.0, 1.0, 1.0)]
    assert history.gaps("demo", "pump", 0, 5, 0) == [(1.0, 5.0)], "from the last that is known"
    with history.leaving_out("demo"):
        configurations.forget("demo", [])
    assert history.buckets("demo", "pump", 0, 5, 1) == []
    assert history.gaps("demo", "pump", 0, 5, 0) == []
    assert configurations.newest(["demo"]) == {}
    history.keep([("demo", "pump", 3_000, 9.0)])
    assert history.buckets("demo", "pump", 0, 5, 1) == [(0, 9.0, 9.0, 9.0)]
