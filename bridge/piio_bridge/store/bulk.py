"""Writing many values by few calls: other threads of ours go on meanwhile.

Each call of a database's driver gives the interpreter away and has to wait for it again, up to 5 ms where another
thread computes: a call per row (`executemany`) would write no more than a few thousand rows a second beside a busy
data plane.
"""

import json
from collections.abc import Callable, Collection, Sequence
from functools import cache, partial
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from piio_bridge.store.columns import Columns

AT_ONCE = 4096
"""Rows of one statement of SQLite's."""

_ROW = np.dtype([("fields", ">i2"), ("a", ">i4"), ("point", ">i4"), ("b", ">i4"), ("t_ms", ">i8"), ("c", ">i4"),
                 ("value", ">f8")])  # fmt: skip
_HEAD, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


_GIVEN = {
    "sqlite": ("json_each(:rows)", "json_extract(value, '$[{}]')"),
    "postgresql": ("json_array_elements(CAST(:rows AS json)) AS given(value)", "value ->> {}"),
}
"""What rows are selected from when they come as JSON, and what their columns are there."""

Writing = Callable[[Connection], None]
"""Writes values within a transaction, which is not longer open than it has to be; they replace what was there."""


def writing(rows: Columns, dialect: str) -> Writing:
    """Make ready what writes these values."""
    if not len(rows):
        return lambda _: None
    return partial(_copy, _packed(rows)) if dialect == "postgresql" else partial(_insert, _parts(rows))


def carry_out(transaction: Connection, statement: str, rows: Collection[Sequence[float | str | None]]) -> None:
    """Have one statement done for many rows by one call.

    In it `{rows}` stands for where they are selected from, `{0}`, `{1}` … for their columns, which come as text.
    """
    if rows:
        source, column = _GIVEN[transaction.dialect.name]
        columns = [column.format(number) for number in range(len(next(iter(rows))))]
        transaction.execute(text(statement.format(*columns, rows=source)), {"rows": json.dumps(list(rows))})


def _parts(rows: Columns) -> list[tuple[float, ...]]:
    """The values for statements of few sizes, which SQLite has read before: the last is repeated until one fits."""
    columns = (rows.points.tolist(), rows.times.tolist(), rows.values.tolist())
    flat = list(chain.from_iterable(zip(*columns, strict=True)))
    parts = []
    for first in range(0, len(flat), 3 * AT_ONCE):
        part = flat[first : first + 3 * AT_ONCE]
        size = 1 << (len(part) // 3 - 1).bit_length()
        parts.append((*part, *part[-3:] * (size - len(part) // 3)))
    return parts


def _insert(parts: list[tuple[float, ...]], transaction: Connection) -> None:
    for part in parts:
        transaction.exec_driver_sql(_statement(len(part) // 3), part)


@cache
def _statement(size: int) -> str:
    rows = ",".join(["(?,?,?)"] * size)
    return (
        f"INSERT INTO history (point, t_ms, value) VALUES {rows} "  # noqa: S608  (question marks)
        "ON CONFLICT (point, t_ms) DO UPDATE SET value = excluded.value"
    )


def _packed(rows: Columns) -> bytes:
    """The values in PostgreSQL's binary format for COPY."""
    packed = np.empty(len(rows), _ROW)
    packed["fields"], packed["a"], packed["b"], packed["c"] = 3, 4, 8, 8
    packed["point"], packed["t_ms"], packed["value"] = rows.points, rows.times, rows.values
    return _HEAD + packed.tobytes() + _END


def _copy(packed: bytes, transaction: Connection) -> None:
    """Into a table of this connection's own, and from there into the history."""
    transaction.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS incoming (LIKE history) ON COMMIT DELETE ROWS")
    driver: Any = transaction.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy("COPY incoming FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(packed)
    transaction.exec_driver_sql(
        "INSERT INTO history SELECT * FROM incoming ON CONFLICT (point, t_ms) DO UPDATE SET value = excluded.value"
    )
