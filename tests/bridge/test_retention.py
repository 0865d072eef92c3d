"""How long history stays, and that what is too old or too much goes: on SQLite and on PostgreSQL."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, Table, func, select

from piio_bridge.store import retention
from piio_bridge.store.database import open_database
from piio_bridge.store.history import History
from piio_bridge.store.retention import Keeping
from piio_bridge.store.tables import GAPS, HISTORY, HOURS, KEPT, MINUTES, POINTS
from tests.bridge.test_history import DAY, HOUR, walk


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_database(database)
    yield opened
    opened.dispose()


def count(engine: Engine, table: Table) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def oldest(engine: Engine, table: Table) -> float:
    """Unix seconds."""
    with engine.connect() as connection:
        return float(connection.scalar(select(func.min(table.c.t_ms))) or 0) / 1000


def tidied(history: History) -> None:
    """Have it do all there is to do."""
    history.flush()
    while history.tidy():
        pass


def test_values_go_after_their_days_and_what_they_were_is_still_told_by_minutes(engine: Engine) -> None:
    now = int(time.time())
    History(engine).flush()
    history = History(engine, Keeping(days=2, summary_days=10))
    history.keep(walk(now - 5 * DAY, now, 60))
    tidied(history)
    assert now - 2 * DAY - HOUR <= oldest(engine, HISTORY) <= now - 2 * DAY + 120
    assert oldest(engine, KEPT) >= oldest(engine, HISTORY) - 60
    assert len(history.buckets("demo", "tank", now - 4 * DAY, now - 4 * DAY + HOUR, 1000)) in (59, 60, 61)
    assert len(history.buckets("demo", "tank", now - 4 * DAY, now, 50)) > 45


def test_minutes_go_later_and_hours_tell_what_was_then(engine: Engine) -> None:
    now = int(time.time())
    History(engine, Keeping(days=100)).flush()
    first = History(engine, Keeping(days=100))
    first.keep(walk(now - 40 * DAY, now, 900))
    tidied(first)
    history = History(engine, Keeping(days=2, summary_days=10))
    tidied(history)
    assert oldest(engine, MINUTES) >= now - 10 * DAY - HOUR
    assert oldest(engine, HOURS) <= now - 39 * DAY
    assert len(history.buckets("demo", "tank", now - 30 * DAY, now - 29 * DAY, 1000)) in (24, 25)
    assert len(history.buckets("demo", "tank", now - 39 * DAY, now - 29 * DAY, 200)) > 190
    assert len(history.buckets("demo", "tank", now - 39 * DAY, now, 30)) > 27


def test_of_too_many_values_the_oldest_go_however_young_they_are(engine: Engine) -> None:
    now = int(time.time())
    history = History(engine, Keeping(most_values=1_000))
    history.keep(walk(now - 2_000, now, 1))
    tidied(history)
    assert 900 < count(engine, HISTORY) <= 1_000
    assert oldest(engine, HISTORY) > now - 1_100


def test_a_minute_that_is_never_over_is_not_cleared(engine: Engine) -> None:
    now = int(time.time()) // 60 * 60 + 60
    history = History(engine, Keeping(most_values=1))
    history.keep(walk(now - 3600, now, 10))
    tidied(history)
    assert oldest(engine, HISTORY) >= now - 120


def test_late_values_older_than_what_is_kept_change_nothing(engine: Engine) -> None:
    now = int(time.time())
    history = History(engine, Keeping(days=2))
    history.vouch("demo", "tank", (now - 9 * DAY) * 1000, False)
    tidied(history)
    history.fill("demo", "tank", [((now - 5 * DAY) * 1000, 1.0), ((now - DAY) * 1000, 2.0), ((now - HOUR) * 1000, 3.0)])
    tidied(history)
    assert count(engine, HISTORY) == 2


def test_gaps_go_with_what_they_are_gaps_of(engine: Engine) -> None:
    now = int(time.time())
    history = History(engine, Keeping(days=2, summary_days=10))
    for days, seconds in ((20, 7200), (5, 7200), (5.5, 30), (1, 30)):
        begin = int(now - days * DAY) * 1000
        history.vouch("demo", "tank", begin, False)
        history.vouch("demo", "tank", begin + seconds * 1000, True)
    tidied(history)
    with engine.connect() as connection:
        spans = {until - begin for begin, until in connection.execute(select(GAPS.c.from_ms, GAPS.c.to_ms))}
        assert len(connection.execute(select(GAPS)).all()) == 2, "a long one of five days ago, and yesterday's"
    assert spans == {7_200_000, 30_000}


def test_what_is_nobodys_any_more_goes(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1_000)
    now = int(time.time())
    history = History(engine)
    history.keep(walk(now - 5_000, now, 1))
    history.keep([("other", "tank", now * 1000, 1.0)])
    tidied(history)
    with history.leaving_out("demo"), engine.begin() as connection:
        connection.execute(POINTS.update().where(POINTS.c.agent == "demo").values(agent="", name=None))
    assert history.buckets("demo", "tank", now - DAY, now + 1, 10) == []
    tidied(History(engine))
    assert [count(engine, table) for table in (HISTORY, POINTS)] == [1, 1]
    assert count(engine, MINUTES) <= 1
    history.keep([("demo", "tank", now * 1000, 5.0)])
    assert [bucket[1:] for bucket in history.buckets("demo", "tank", now - DAY, now + 1, 1)] == [(5.0, 5.0, 5.0)]


def test_the_file_becomes_smaller_when_much_of_it_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SPARE_PAGES", 10)
    now = int(time.time())
    engine = open_database(f"sqlite:///{tmp_path}/bridge.db")
    history = History(engine)
    for n in range(20):
        history.keep([("demo", f"p{n}", (now - t) * 1000, 1.0) for t in range(10_000)])
    tidied(history)

    def size() -> int:
        with closing(sqlite3.connect(tmp_path / "bridge.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return (tmp_path / "bridge.db").stat().st_size

    before = size()
    tidied(History(engine, Keeping(most_values=10_000)))
    assert size() < before / 2
