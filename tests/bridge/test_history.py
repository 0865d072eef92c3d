"""What is kept of values, and what of them is told in buckets: the same on SQLite and on PostgreSQL."""

import math
import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update

from piio_bridge.store import log_file, waiting
from piio_bridge.store.database import StoreFailed, open_database, transaction
from piio_bridge.store.history import History
from piio_bridge.store.log_file import LogFile
from piio_bridge.store.tables import HISTORY, POINTS

HOUR, DAY = 3600, 86400


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_database(database)
    yield opened
    opened.dispose()


def rows(engine: Engine, point: str) -> list[tuple[int, float]]:
    """What the database has of a point of the board `demo`."""
    query = select(HISTORY.c.t_ms, HISTORY.c.value).join(POINTS, POINTS.c.id == HISTORY.c.point)
    with engine.connect() as connection:
        found = connection.execute(query.where(POINTS.c.name == point).order_by(HISTORY.c.t_ms)).all()
    return [(t_ms, value) for t_ms, value in found]


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(HISTORY)) or 0


def walk(start: int, end: int, step: int) -> list[tuple[str, str, int, float]]:
    """A value every so many seconds."""
    chance = random.Random(1)
    return [("demo", "tank", t * 1000 + chance.randrange(1000), chance.uniform(-5, 5)) for t in range(start, end, step)]


def reckoned(values: Any, start: int, end: int, buckets: list[Any]) -> list[Any]:
    """The buckets that begin where those do, from all values."""
    begins = [*(bucket[0] for bucket in buckets), end]
    found = []
    for begin, until in pairwise(begins):
        inside = [value for _, _, t_ms, value in values if max(start, begin) * 1000 <= t_ms < min(end, until) * 1000]
        found.append((begin, min(inside), max(inside), pytest.approx(sum(inside) / len(inside))))
    return found


def test_of_two_values_in_one_millisecond_the_later_stays(engine: Engine) -> None:
    history = History(engine)
    history.keep([("demo", "tank", 1_000, 1.0), ("demo", "pump", 1_000, 5.0), ("demo", "tank", 1_000, 2.0)])
    history.flush()
    history.keep([("demo", "pump", 1_000, 6.0), ("demo", "tank", 2_000, 3.0)])
    history.flush()
    assert rows(engine, "tank") == [(1_000, 2.0), (2_000, 3.0)]
    assert rows(engine, "pump") == [(1_000, 6.0)]


def test_values_under_the_name_before_and_under_the_new_one_may_wait_together(engine: Engine) -> None:
    history = History(engine)
    history.keep([("demo", "tank", 1, 1.0)])
    history.flush()
    with engine.begin() as connection:
        connection.execute(update(POINTS).where(POINTS.c.name == "tank").values(name="vessel"))
    history.keep([("demo", "tank", 2, 2.0), ("demo", "vessel", 3, 3.0)])
    history.forget_ids()
    assert rows(engine, "vessel") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_what_is_no_number_keeps_none_of_the_others_away(engine: Engine) -> None:
    history = History(engine)
    history.keep([("demo", "tank", t_ms, value) for t_ms, value in enumerate([1.0, math.nan, math.inf, 2.0])])
    history.flush()
    assert rows(engine, "tank") == [(0, 1.0), (3, 2.0)]


@pytest.mark.parametrize("number", [1, 2, 1000, 2048, 2049, 25_000])
def test_any_number_of_values_is_written_as_it_is(engine: Engine, number: int) -> None:
    values = [(n // 3, n / 7) for n in range(0, number * 3, 3)]
    history = History(engine)
    history.keep([("demo", "tank", t_ms, value) for t_ms, value in reversed(values)])
    history.flush()
    assert rows(engine, "tank") == values


def test_nothing_that_was_handed_over_before_the_end_is_lost(engine: Engine) -> None:
    now = int(time.time() * 1000)
    with History(engine) as history:
        for number in range(100):
            history.keep([("demo", f"p{n}", now + number, 1.0) for n in range(500)])
    assert count(engine) == 50_000


def test_a_bucket_is_the_same_whether_read_from_values_or_from_summaries(engine: Engine) -> None:
    end = int(time.time()) - 2 * HOUR - 17
    start = end - 30 * HOUR
    values = walk(start - HOUR, end + HOUR, 20)
    history = History(engine)
    history.keep(values)
    spans = [(start + 11, end, 6), (start + 11, end, 30), (end - 3 * HOUR, end + HOUR, 40), (end - 600, end, 10)]
    before = [history.buckets("demo", "tank", *span) for span in spans]
    history.tidy()
    for span, found in zip(spans, before, strict=True):
        begin, until, most = span
        assert 0.7 * most < len(found) <= most
        assert found == reckoned(values, begin, until, found)
        again = history.buckets("demo", "tank", *span)
        assert 0.7 * most < len(again) <= most
        assert again == reckoned(values, begin, until, again)


def test_a_month_needs_none_of_its_values(engine: Engine) -> None:
    now = int(time.time())
    values = walk(now - 29 * DAY, now, 600)
    history = History(engine)
    history.keep(values)
    history.flush()
    history.tidy()
    with engine.begin() as connection:
        connection.execute(HISTORY.delete().where(HISTORY.c.t_ms < (now - 2 * HOUR) * 1000))
    start = (now - 28 * DAY) // HOUR * HOUR
    found = history.buckets("demo", "tank", start, now, 28)
    assert 25 < len(found) <= 28
    assert found[:-1] == reckoned(values, start, now, found)[:-1]


def test_values_that_come_late_are_in_the_summaries_too(engine: Engine) -> None:
    now = int(time.time())
    history = History(engine)
    history.vouch("demo", "tank", (now - 5 * DAY) * 1000, False)
    history.keep([("demo", "tank", (now - 6 * DAY) * 1000, 1.0)])
    history.flush()
    history.tidy()
    history.fill("demo", "tank", [((now - 3 * DAY) * 1000, 7.0), ((now - 2 * DAY) * 1000, None)])
    history.flush()
    history.tidy()
    with engine.begin() as connection:
        connection.execute(HISTORY.delete())
    assert [bucket[1:] for bucket in history.buckets("demo", "tank", now - 10 * DAY, now, 10)] == [
        (1.0, 1.0, 1.0), (7.0, 7.0, 7.0),
    ]  # fmt: skip


def test_who_comes_after_a_crash_makes_the_summaries_that_are_missing(engine: Engine) -> None:
    now = int(time.time())
    values = walk(now - 3 * DAY, now - 2 * DAY, 60)
    crashed = History(engine)
    crashed.keep(values[:700])
    crashed.flush()
    crashed.tidy()
    crashed.keep(values[700:])
    crashed.flush()
    history = History(engine)
    history.begin_term()
    history.tidy()
    with engine.begin() as connection:
        connection.execute(HISTORY.delete())
    found = history.buckets("demo", "tank", (now - 3 * DAY) // HOUR * HOUR, now, 5)
    low, high = min(value for *_, value in values), max(value for *_, value in values)
    assert (min(bucket[1] for bucket in found), max(bucket[2] for bucket in found)) == (low, high)


@contextmanager
def locked(engine: Engine) -> Iterator[None]:
    """Hold the whole history, as a stranger's tool does."""
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        if engine.dialect.name == "sqlite":
            cursor.execute("BEGIN EXCLUSIVE")
        else:
            cursor.execute("LOCK TABLE history, points")
        yield
        connection.rollback()


def test_what_a_locked_database_does_not_take_waits_and_keeps_nobody_waiting(engine: Engine) -> None:
    history = History(engine)
    history.keep([("demo", "tank", 0, 0.0), ("demo", "tank", 1, 1.0)])
    with locked(engine):
        with pytest.raises(StoreFailed, match="lock"):
            history.flush()
        history.keep([("demo", "tank", 1, 2.0), ("demo", "tank", 2, 3.0)])
    history.flush()
    assert rows(engine, "tank") == [(0, 0.0), (1, 2.0), (2, 3.0)]


def test_what_comes_while_the_last_is_written_is_not_lost_at_the_end(engine: Engine) -> None:
    now = int(time.time() * 1000)
    history = History(engine)
    ending = threading.Thread(target=history.__exit__)
    with locked(engine):
        history.__enter__()
        history.keep([("demo", "tank", now + 1, 1.0)])
        while history.waiting:  # until the writer has it
            time.sleep(0.01)
        history.keep([("demo", "tank", now + 2, 2.0)])
        ending.start()
        history.keep([("demo", "tank", now + 3, 3.0)])
    ending.join()
    assert rows(engine, "tank") == [(now + 1, 1.0), (now + 2, 2.0), (now + 3, 3.0)]


def test_of_too_many_values_that_wait_the_oldest_go_and_are_counted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_VALUES", 1_000)
    monkeypatch.setattr(waiting, "SPARE", 100)
    history = History(engine)
    for first in range(0, 1_500, 100):
        history.keep([("demo", "tank", first + n, 1.0) for n in range(100)])
    history.flush()
    kept = rows(engine, "tank")
    assert history.dropped == 1_500 - len(kept)
    assert kept[-1][0] == 1_499
    assert 900 <= len(kept) <= 1_000


def test_a_log_that_grew_while_somebody_read_is_written_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "LARGE", 1_000_000)
    engine = open_database(f"sqlite:///{tmp_path}/bridge.db")
    history, log, now = History(engine), LogFile(engine), int(time.time() * 1000)
    with transaction(engine, reading=True) as connection:
        connection.execute(select(HISTORY)).all()
        history.keep([("demo", "tank", now + n, 1.0) for n in range(100_000)])
        history.flush()
        assert log.is_large
    history.tidy()
    assert not log.is_large
    assert count(engine) == 100_000


def test_who_asks_keeps_the_writer_from_nothing(engine: Engine) -> None:
    now = int(time.time())
    over = threading.Event()
    with History(engine) as history:
        history.keep(walk(now - 10 * HOUR, now, 2))

        def ask() -> None:
            while not over.is_set():
                assert history.buckets("demo", "tank", now - DAY, now, 1000)

        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        for number in range(80):
            history.keep([("demo", f"p{n}", now * 1000 + number, 1.0) for n in range(500)])
        while count(engine) < 58_000:
            assert not history.dropped
            time.sleep(0.01)
        over.set()
        for asker in askers:
            asker.join()
    assert count(engine) == 58_000


def test_a_query_reads_no_more_than_the_key(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite's table is its key")
    with engine.connect() as connection:
        (definition,) = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE tablename = 'history'")).one()
    assert definition.endswith("(point, t_ms) INCLUDE (value)")
