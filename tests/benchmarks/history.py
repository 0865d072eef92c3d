"""What the history keeps beside a data plane that has all to do that it can, and how fast a day or a year is told.

Both databases a bridge can have, in one process each time: the data plane's own code turns readings into values on one
thread as fast as it can, the history's thread writes them.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Engine, text

from piio_bridge.clock import SystemClock
from piio_bridge.data.readings import Readings
from piio_bridge.data.record import Kept
from piio_bridge.store.database import open_database, transaction
from piio_bridge.store.history import History
from piio_bridge.store.tables import POINTS as POINT_TABLE
from piio_schemas.beacons import Beacon
from piio_schemas.configuration import read_configuration
from tests.benchmarks.figure import Figure, Reach, at_least, at_most
from tests.benchmarks.run import Numbers, Run
from tests.postgresql import PostgreSQL

TITLE = "The history: what it takes beside a busy data plane, and what it tells"

BOARDS = 10
POINTS = {f"p{n}": {"interface": "adc", "channel": str(n), "equation": "x / 1023 * 100"} for n in range(100)}
"""Of each board."""

AT_ONCE = 250
"""Readings that come in one go."""

RATE = 75_000
"""Values a second for the history."""

SECONDS = 6.0
"""Of a round of writing."""

ASKED = 5
"""Times that each question is asked; the median counts."""

BUCKETS = 1000
DAY = 86400
DAYS, MINUTES = 8, 400
"""Days with a value each second, and with a summary each minute, of the point that is asked about."""

NEIGHBOURS = 3
"""Points that were written at the same times, that one included."""

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


class Nothing(History):
    """A history that keeps nothing."""

    def keep(self, values: Sequence[Kept]) -> None:
        """Do nothing."""


def measure(run: Run) -> list[Figure]:
    """Write, then ask."""
    with tempfile.TemporaryDirectory(prefix="piio-bench-") as folder, PostgreSQL() as server:
        urls = {SQLITE: lambda: f"sqlite:///{tempfile.mkdtemp(dir=folder)}/bridge.db", POSTGRESQL: server.database}
        written = run.interleaved({who: partial(_written, url) for who, url in urls.items()})
        asking: dict[str, Callable[[], Numbers]] = {}
        for who, url in urls.items():
            run.say(f"{who}: making {DAYS} days of {NEIGHBOURS} points and {MINUTES} days of minutes")
            asking[who] = partial(_asked, _filled(url()))
        told = run.interleaved(asking)
    return _figures(written, told)


def _figures(written: dict[str, dict[str, float]], told: dict[str, dict[str, float]]) -> list[Figure]:
    def figure(what: str, found: dict[str, dict[str, float]], name: str, unit: str, reach: Reach | None) -> Figure:
        compared = {POSTGRESQL: found[POSTGRESQL][name]}
        return Figure(what=what, number=found[SQLITE][name], unit=unit, compared=compared, reach=reach)

    return [
        figure(f"values kept, {RATE} a second offered", written, "kept", "/s", at_least(50_000)),
        figure("readings taken meanwhile by the data plane's code", written, "taken", "/s", None),
        figure("values dropped", written, "dropped", "", at_most(0)),
        figure("processor time of the writer for each value", written, "cpu", "µs", None),
        figure("a day of values, one a second, in 1,000 buckets", told, "day", "ms", at_most(100)),
        figure("a week of them", told, "week", "ms", None),
        figure("a month of them", told, "month", "ms", None),
        figure("a year of them", told, "year", "ms", None),
    ]


def _written(url: Callable[[], str]) -> Numbers:
    engine = open_database(url())
    with History(engine) as history:
        work, more = _Work(history), _Work(Nothing(engine))
        for _ in range(len(POINTS) * BOARDS // AT_ONCE):
            work.once()
        history.flush()
        history.tidy()  # all is under way: what is measured goes on for ever
        _be_busy(work, more, 1.0)  # until as many wait as always do
        cpu, before = _cpu_of_writer(), _count(engine)
        taken = _be_busy(work, more, SECONDS)
        kept, dropped, cpu = _count(engine) - before, history.dropped, _cpu_of_writer() - cpu
    engine.dispose()
    return {
        "taken": taken / SECONDS, "kept": kept / SECONDS, "dropped": dropped, "cpu": cpu / max(1, kept) * 1e6,
    }  # fmt: skip


class _Work:
    """A data plane without its connection: readings of a thousand points that become values."""

    def __init__(self, history: History) -> None:
        self._readings = Readings("piio", SystemClock(), history)
        self._topics: list[bytes] = []
        self.taken = 0
        for board in (f"b{number}" for number in range(BOARDS)):
            self._readings.configure(board, read_configuration({"points": POINTS}))
            self._readings.hear_status(board, True)
            self._readings.hear_beacon(board, Beacon("bench", 1, 1, 3600))
            self._topics += [f"piio/{board}/raw/adc/{point['channel']}".encode() for point in POINTS.values()]

    def once(self) -> None:
        """Take as many readings as come at once, of one point after the other."""
        first = self.taken % len(self._topics)
        topics = self._topics[first : first + AT_ONCE]
        self._readings.take([(topic, b"%d" % ((n + self.taken) % 1023)) for n, topic in enumerate(topics)])
        self.taken += len(topics)


def _be_busy(kept: _Work, other: _Work, seconds: float) -> int:
    """Take readings on a thread that is never idle, so many a second of them for the history; how many in all."""
    begun, before, at_first = time.monotonic(), kept.taken + other.taken, kept.taken

    def work() -> None:
        while (passed := time.monotonic() - begun) < seconds:
            (kept if kept.taken - at_first < passed * RATE else other).once()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return kept.taken + other.taken - before


def _cpu_of_writer() -> float:
    (writer,) = (thread.ident for thread in threading.enumerate() if thread.name == "piio history")
    return time.clock_gettime(time.pthread_getcpuclockid(writer or 0))


def _count(engine: Engine) -> int:
    with transaction(engine, reading=True) as connection:
        return int(connection.execute(text("SELECT count(*) FROM history")).scalar_one())


def _filled(url: str) -> History:
    """A history of some days of values and many days of minutes, as the writer would have left it."""
    engine = open_database(url)
    now = int(time.time())
    with transaction(engine) as connection:
        connection.execute(POINT_TABLE.insert(), [{"agent": "b0", "name": f"p{n}"} for n in range(NEIGHBOURS)])
        span = {"start": now - DAYS * DAY, "end": now, "step": 1}
        connection.execute(text(
            f"INSERT INTO history WITH {_SERIES}, point (id) AS (SELECT id FROM points) "
            "SELECT id, t * 1000, t * 37 % 1000 FROM series CROSS JOIN point ORDER BY t"
        ), span)  # fmt: skip
        span = {"start": (now - MINUTES * DAY) // 60 * 60, "end": now - DAYS * DAY, "step": 60}
        connection.execute(text(
            f"INSERT INTO minutes WITH {_SERIES} SELECT 1, t * 1000, 0, t * 37 % 1000, 500, 60 FROM series"
        ), span)  # fmt: skip
    if engine.dialect.name == "postgresql":  # which its autovacuum does within a minute
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE history"))
    history = History(engine)
    history.tidy()
    return history


_SERIES = (
    "RECURSIVE series (t) AS (SELECT CAST(:start AS BIGINT) UNION ALL SELECT t + :step FROM series WHERE t < :end)"
)


def _asked(history: History) -> Numbers:
    spans = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY, "year": 365 * DAY}
    return {name: statistics.median(_ask(history, span) for _ in range(ASKED)) for name, span in spans.items()}


def _ask(history: History, span: int) -> float:
    """Milliseconds to an answer."""
    end = time.time()
    begun = time.perf_counter()
    found = history.buckets("b0", "p0", end - span, end, BUCKETS)
    taken = time.perf_counter() - begun
    assert len(found) > 0.9 * BUCKETS, len(found)
    return taken * 1000
