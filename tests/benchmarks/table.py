"""Figures as a table in Markdown."""

from collections.abc import Mapping, Sequence

from tests.benchmarks.figure import Figure, Reach

HEAD = ("| | PiIO | compared to | ratio | reach | met |", "|---|--:|---|--:|---|---|")

_MET = {True: "yes", False: "**no**", None: ""}


def table(figures: Mapping[str, Sequence[Figure]]) -> str:
    """Return one table of all, the figures of each benchmark below its title."""
    rows = [row for title, those in figures.items() for row in (f"| **{title}** | | | | | |", *map(_row, those))]
    return "\n".join([*HEAD, *rows])


def _row(figure: Figure) -> str:
    compared = "<br>".join(f"{who}: {_with_unit(value, figure.unit)}" for who, value in figure.compared.items())
    ratios = "<br>".join(_ratio(figure.ratio(who)) for who in figure.compared)
    ours, asked = _with_unit(figure.number, figure.unit), _reach(figure.reach, figure.unit)
    return f"| {' | '.join([figure.what, ours, compared, ratios, asked, _MET[figure.met]])} |"


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{number(ratio)} ×"


def _reach(reach: Reach | None, unit: str) -> str:
    if reach is None:
        return ""
    sign = "≥" if reach.at_least else "≤"
    return f"{sign} {number(reach.number)} × {reach.of}" if reach.of else f"{sign} {_with_unit(reach.number, unit)}"


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".strip()


def number(value: float) -> str:
    """Return a number as people read it: three digits at most of what is small, thousands apart in what is large."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 else f"{value:.2g}"
