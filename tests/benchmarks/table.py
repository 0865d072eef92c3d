"""Figures as a table in Markdown."""

from collections.abc import Iterable

from tests.benchmarks.figure import Figure, Reach

HEAD = ("| | PiIO | compared to | ratio | reach | met |", "|---|--:|---|--:|---|---|")

_MET = {True: "yes", False: "**no**", None: ""}


def table(figures: Iterable[Figure]) -> str:
    """Return the rows, below a head."""
    return "\n".join([*HEAD, *map(_row, figures)])


def _row(figure: Figure) -> str:
    compared = "<br>".join(f"{who}: {number(value)} {figure.unit}" for who, value in figure.compared.items())
    ratios = "<br>".join(_ratio(figure.ratio(who)) for who in figure.compared)
    ours, asked = f"{number(figure.number)} {figure.unit}".strip(), _reach(figure.reach, figure.unit)
    cells = [figure.what, ours, compared, ratios, asked, _MET[figure.met]]
    return f"| {' | '.join(cells)} |"


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{number(ratio)} ×"


def _reach(reach: Reach | None, unit: str) -> str:
    if reach is None:
        return ""
    sign = "≥" if reach.at_least else "≤"
    return (
        f"{sign} {number(reach.number)} × {reach.of}" if reach.of else f"{sign} {number(reach.number)} {unit}".strip()
    )


def number(value: float) -> str:
    """Return a number as people read it: two digits of what is small, thousands apart in what is large."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2g}"
