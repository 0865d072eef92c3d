"""What each benchmark found last: docs/performance.json, of which the page's table and picture are made."""

import datetime
from typing import Any

import msgspec
from msgspec import Struct

from tests.benchmarks.figure import Figure
from tests.benchmarks.machine import Machine
from tests.benchmarks.page import PAGE, write
from tests.benchmarks.picture import picture
from tests.benchmarks.registry import BENCHMARKS
from tests.benchmarks.table import table

FILE = PAGE.with_suffix(".json")
PICTURE = PAGE.with_suffix(".svg")


class Measured(Struct, frozen=True):
    """What one benchmark found, when and where."""

    title: str
    date: str
    rounds: int
    machine: Machine
    figures: list[Figure]


def measured(title: str, rounds: int, machine: Machine, figures: list[Figure]) -> Measured:
    """Return what was found just now."""
    return Measured(title, datetime.date.today().isoformat(), rounds, machine, figures)


def keep(name: str, found: Measured) -> None:
    """Put it in the place of what the benchmark found before, and make the page anew."""
    kept = msgspec.json.decode(FILE.read_bytes(), type=dict[str, Measured]) if FILE.exists() else {}
    kept[name] = found
    kept = {each: kept[each] for each in BENCHMARKS if each in kept}
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(_judged(kept)), indent=1) + b"\n")
    PICTURE.write_text(picture([figure for each in kept.values() for figure in each.figures if figure.pictured]))
    write("bench", f"{_machines(kept)}\n\n![The figures that are compared with other programs](performance.svg)\n\n"
          f"{table({each.title: each.figures for each in kept.values()})}")  # fmt: skip


def _judged(kept: dict[str, Measured]) -> dict[str, Any]:
    """Return it with what follows from each figure, for whoever reads the file: ratios, and whether it is reached."""
    documents = msgspec.to_builtins(kept)
    for name, each in kept.items():
        for document, figure in zip(documents[name]["figures"], each.figures, strict=True):
            document["ratios"] = {who: figure.ratio(who) for who in figure.compared}
            document["met"] = figure.met
    return documents


def _machines(kept: dict[str, Measured]) -> str:
    """Say where all was measured: in one sentence where it was one machine on one day."""
    told: dict[str, list[str]] = {}
    for name, each in kept.items():
        told.setdefault(f"On {each.date}, {_rounds(each.rounds)}: {each.machine}.", []).append(name)
    if len(told) == 1:
        return next(iter(told))
    return "\n".join(f"- {', '.join(f'`{name}`' for name in names)}: {text}" for text, names in told.items())


def _rounds(number: int) -> str:
    return "one round" if number == 1 else f"medians of {number} rounds"
