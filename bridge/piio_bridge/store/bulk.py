"""Writing many values by few calls: other threads of ours go on meanwhile.

Each call of a database's driver gives the interpreter away and has to wait for it again, up to 5 ms where another
thread computes: a call per row (`executemany`) would write no more than a few thousand rows a second beside a busy
data plane.
"""

from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import Connection

from piio_bridge.store.columns import Columns

AT_ONCE = 2048
"""Rows of one statement of SQLite's."""

_ROW = np.dtype([("fields", ">i2"), ("a", ">i4"), ("point", ">i4"), ("b", ">i4"), ("t_ms", ">i8"), ("c", ">i4"),
                 ("value", ">f8")])  # fmt: skip
_HEAD, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def write(transaction: Connection, rows: Columns) -> None:
    """Write values; they take the place of what was there at their time."""
    if not len(rows):
        return
    if transaction.dialect.name == "postgresql":
        _copy(transaction, rows)
    else:
        _insert(transaction, rows)


def _insert(transaction: Connection, rows: Columns) -> None:
    """By statements of a few sizes, which SQLite has read before: the last row is repeated until one fits."""
    columns = (rows.points.tolist(), rows.times.tolist(), rows.values.tolist())
    flat = list(chain.from_iterable(zip(*columns, strict=True)))
    for first in range(0, len(flat), 3 * AT_ONCE):
        part = flat[first : first + 3 * AT_ONCE]
        size = 1 << (len(part) // 3 - 1).bit_length()
        part += part[-3:] * (size - len(part) // 3)
        transaction.exec_driver_sql(_statement(size), tuple(part))


@cache
def _statement(size: int) -> str:
    rows = ",".join(["(?,?,?)"] * size)
    return (
        f"INSERT INTO history (point, t_ms, value) VALUES {rows} "  # noqa: S608  (question marks)
        "ON CONFLICT (point, t_ms) DO UPDATE SET value = excluded.value"
    )


def _copy(transaction: Connection, rows: Columns) -> None:
    """By COPY in PostgreSQL's binary format, which numpy writes, into a table of this connection's own."""
    packed = np.empty(len(rows), _ROW)
    packed["fields"], packed["a"], packed["b"], packed["c"] = 3, 4, 8, 8
    packed["point"], packed["t_ms"], packed["value"] = rows.points, rows.times, rows.values
    transaction.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS incoming (LIKE history) ON COMMIT DELETE ROWS")
    driver: Any = transaction.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy("COPY incoming FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_HEAD + packed.tobytes() + _END)
    transaction.exec_driver_sql(
        "INSERT INTO history SELECT * FROM incoming ON CONFLICT (point, t_ms) DO UPDATE SET value = excluded.value"
    )
