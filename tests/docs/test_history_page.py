"""What docs/history.md promises is what the bridge does unless told otherwise, and what it says to type works."""

import argparse
import re
import subprocess
from pathlib import Path

from piio_bridge.command import configure
from piio_bridge.store import audit, retention, waiting
from piio_bridge.store.database import open_database
from piio_bridge.store.retention import Keeping
from tests.postgresql import PostgreSQL

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text()


def test_its_options_are_those_of_the_bridge_with_what_holds_without_them() -> None:
    parser = argparse.ArgumentParser()
    configure(parser)
    options = dict(re.findall(r"`(--[\w-]+) ([\d.]+)`", PAGE))
    told = parser.parse_args([word for option in options.items() for word in option])
    assert (told.history_days, told.history_values, told.summary_days) == (
        Keeping().days, Keeping().most_values, Keeping().summary_days,
    )  # fmt: skip
    assert len(options) == 3


def test_its_numbers_are_true() -> None:
    for text in (f"{audit.MOST_KEPT:,} ", f"{waiting.MOST_VALUES:,} values wait", "ten times as long"):
        assert text in PAGE
    assert retention.HOURS_LAST == 10
    assert Keeping().most_values == 100_000_000


def test_a_bridge_makes_its_tables_in_a_database_that_was_made_as_it_says(postgresql: PostgreSQL) -> None:
    (sql,) = re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)
    url = postgresql.database()
    server = ["psql", "-v", "ON_ERROR_STOP=1", "-q", "-h", str(postgresql.folder), "-U", "piio", "postgres"]
    subprocess.run(server, input=sql.replace("piio", "reader"), text=True, check=True)
    other = re.sub(r"//piio@/\w+", "//reader:choose-one@/reader", url)
    open_database(other).dispose()
    open_database(other.replace("postgresql+psycopg", "postgresql")).dispose()
