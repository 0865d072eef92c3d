"""The audit trail as CSV, for spreadsheets and scripts."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from piio_schemas.audit import AuditEntry
from piio_schemas.numbers import number_from_text

COLUMNS = ("time", "board", "point", "what", "value", "by", "verified", "origin", "address", "outcome", "reason", "id")

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula, and carry it out."""


def csv_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Return the header and a line per entry; times in UTC."""
    yield _line(COLUMNS)
    for entry in entries:
        yield _line(_cell(getattr(entry, column)) if column != "time" else _time(entry) for column in COLUMNS)


def _time(entry: AuditEntry) -> str:
    return datetime.fromtimestamp(entry.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cell(value: str | bool | None) -> str:
    """Return the text of a cell; an apostrophe keeps what is no number from being taken for a formula."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    return f"'{value}" if value.startswith(FORMULA) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        number_from_text(text.encode())
    except ValueError:
        return False
    return True


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()
