"""What people read: numbers, colours on a terminal, tables, and JSON for scripts."""

import os
import sys
from typing import Any, TextIO

from msgspec import json

from piio.reading import Reading
from piio_schemas.numbers import number_to_text

GREEN, YELLOW, RED, BOLD, DIM = "32", "33", "31", "1", "2"

QUALITY_COLOURS = {"good": GREEN, "stale": YELLOW, "bad": RED}


def complain(command: str, message: str) -> None:
    """Say on stderr why something was not done."""
    print(f"piio {command}: {message}", file=sys.stderr)


def print_json(document: Any) -> None:
    """Print a model or parsed JSON as one line."""
    print(json.encode(document).decode(), flush=True)


def painted(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return text in a colour where somebody looks at a terminal and did not say NO_COLOR."""
    stream = stream or sys.stdout
    plain = not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[{colour}m{text}\x1b[0m"


def quality(reading: Reading) -> str:
    """Return a quality in its colour."""
    return painted(reading.quality, QUALITY_COLOURS.get(reading.quality.partition(":")[0], RED))


def value(reading: Reading) -> str:
    """Return the plain number of a reading; `-` where there never was one."""
    return "-" if reading.value is None else number_to_text(reading.value)


def with_unit(reading: Reading) -> str:
    """Return the value as people read it: at most six significant digits, and the unit."""
    text = "-" if reading.value is None else f"{reading.value:.6g}"
    return f"{text} {reading.unit}".rstrip()
