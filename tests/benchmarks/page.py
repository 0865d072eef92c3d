"""docs/performance.md and docs/scaling.md, whose tables are made by the benchmarks."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"

SCALING = PAGE.with_name("scaling.md")


def write(benchmark: str, text: str, page: Path = PAGE) -> None:
    """Put what a benchmark found in the place of what it found before, between its two comments."""
    begin, end = f"<!-- made by {benchmark} -->", f"<!-- end of {benchmark} -->"
    new, count = re.subn(
        f"{re.escape(begin)}.*{re.escape(end)}", lambda _: f"{begin}\n{text}\n{end}", page.read_text(), flags=re.DOTALL
    )
    if not count:
        raise SystemExit(f"{page} has no place for it: {begin} … {end}")
    page.write_text(new)
