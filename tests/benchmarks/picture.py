"""Figures as bars, in an SVG that is legible on light and dark pages: it brings its own ground."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

from tests.benchmarks.figure import Figure
from tests.benchmarks.table import number

WIDTH, NAMES, LONGEST = 760, 250, 340
"""Pixels: of all, of the column of names, and of the longest bar."""

LINE, GAP = 24, 18
"""Pixels from one bar to the next, and between two figures."""

STYLE = """\
<style>
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.what { font-weight: 600 }
.ground { fill: #ffffff } .ours { fill: #0a6ebd } .other { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .ground { fill: #0d1117 } .ours { fill: #58a6ff } .other { fill: #6e7681 }
}
</style>
"""


def picture(figures: Iterable[Figure]) -> str:
    """Return the SVG: a group of bars for each figure, the first of them ours."""
    parts, top = [], GAP
    for figure in figures:
        drawn, height = _group(figure, top)
        parts.append(drawn)
        top += height + GAP
    size = f'viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    ground = f'<rect class="ground" width="{WIDTH}" height="{top}" rx="6"/>'
    title = "<title>PiIO and other programs, side by side</title>"
    return "\n".join([head, title, STYLE + ground, *parts, "</svg>", ""])


def _group(figure: Figure, top: int) -> tuple[str, int]:
    """Return what is drawn of a figure, and its height."""
    bars = {"PiIO": figure.number, **figure.compared}
    most = max(bars.values()) or 1.0
    lines = [f'<text class="what" x="{GAP}" y="{top + 14}">{escape(figure.what)}</text>']
    for row, (who, value) in enumerate(bars.items(), 1):
        at, length = top + row * LINE, max(1.0, value / most * LONGEST)
        kind = "ours" if row == 1 else "other"
        lines += [
            f'<text x="{NAMES - 10}" y="{at + 14}" text-anchor="end">{escape(who)}</text>',
            f'<rect class="{kind}" x="{NAMES}" y="{at + 2}" width="{length:.0f}" height="16" rx="2"/>',
            f'<text x="{NAMES + length + 8:.0f}" y="{at + 14}">{number(value)} {escape(figure.unit)}</text>',
        ]
    return "\n".join(lines), (len(bars) + 1) * LINE
